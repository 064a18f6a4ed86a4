import 'reflect-metadata'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { connectionOf, GuardedIoAdapter } from '@sallyport/server/nest-socket-io'
import type { Socket } from 'socket.io'
import { nodeAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'

@WebSocketGateway({ path: '/ws' })
class Chat {
  handleConnection(client: Socket) {
    const { identity, method } = connectionOf(guard, client)
    client.emit('welcome', { userId: identity.id, method })
  }

  @SubscribeMessage('message')
  echo(@MessageBody() data: unknown) {
    return { event: 'echo', data }
  }
}

@Module({ providers: [Chat] })
class App {}

const app = await NestFactory.create(App, { logger: ['error', 'warn'] })
app.useWebSocketAdapter(new GuardedIoAdapter(app, guard))
app.use(async (request: IncomingMessage, response: ServerResponse, next: () => void) => {
  if (!(await nodeAccounts(request, response))) next()
})
await app.listen(address.port, address.host)
ready('nest-socket-io')
