import 'reflect-metadata'
import type { AddressInfo } from 'node:net'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { createGuard, type Identity } from '@sallyport/server'
import { CurrentIdentity, connectionOf, GuardedWsAdapter } from '@sallyport/server/nest'
import { GuardedIoAdapter } from '@sallyport/server/nest-socket-io'
import { allMethods } from '../support/guard.js'

/**
 * An application in a process of its own, with gateways on the adapter that its argument names. It tells its
 * port; told a user, it revokes that one, and told `close`, it closes.
 */
const guard = createGuard(allMethods())
const [, , kind] = process.argv

@WebSocketGateway({ path: '/ws' })
class Chat {
  handleConnection(client: Parameters<typeof connectionOf>[1] & { send(text: string): void }) {
    if (kind === 'ws') client.send(`hello ${connectionOf(guard, client).identity.id}`)
  }

  @SubscribeMessage('say')
  say(@MessageBody() text: string, @CurrentIdentity() { id }: Identity) {
    return { event: 'said', data: `${id}: ${text}` }
  }
}

@Module({ providers: [Chat] })
class Application {}

const app = await NestFactory.create(Application, { logger: ['error'], abortOnError: false })
app.useWebSocketAdapter(kind === 'ws' ? new GuardedWsAdapter(app, guard) : new GuardedIoAdapter(app, guard))
await app.listen(0, '127.0.0.1')
process.on('message', async (told: string) => {
  if (told === 'close') await app.close()
  else await guard.revoke({ user: told })
  process.send?.('done')
})
process.send?.((app.getHttpServer().address() as AddressInfo).port)
