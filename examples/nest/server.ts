import 'reflect-metadata'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { CurrentIdentity, connectionOf, GuardedWsAdapter } from '@sallyport/server/nest'
import type { WebSocket } from 'ws'
import { nodeAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'
import { welcome } from '../shared/welcome.js'

@WebSocketGateway({ path: '/ws' })
class Chat {
  handleConnection(client: WebSocket) {
    welcome(client, connectionOf(guard, client))
  }

  @SubscribeMessage('whoami')
  whoami(@CurrentIdentity() user: { id: string }) {
    return { event: 'you', data: user.id }
  }
}

@Module({ providers: [Chat] })
class App {}

const app = await NestFactory.create(App, { logger: ['error', 'warn'] })
app.useWebSocketAdapter(new GuardedWsAdapter(app, guard))
app.use(async (request: IncomingMessage, response: ServerResponse, next: () => void) => {
  if (!(await nodeAccounts(request, response))) next()
})
await app.listen(address.port, address.host)
ready('nest')
