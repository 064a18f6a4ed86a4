// A gateway of NestJS on ws: open to everybody, by hand in its handleConnection, as people do, or with the guard.
import 'reflect-metadata'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { WsAdapter } from '@nestjs/platform-ws'
import { WebSocketGateway } from '@nestjs/websockets'
import { GuardedWsAdapter } from '@sallyport/server/nest'
import { bearerByHand } from './by-hand.mjs'
import { echo } from './echo.mjs'
import { headerGuard } from './header-guard.mjs'

export default async function start({ keys, way }) {
  const verify = way === 'hand' ? bearerByHand(keys) : undefined

  class Gateway {
    handleConnection(client, request) {
      try {
        verify?.(request.headers.authorization)
        echo(client)
      } catch {
        client.close(1008, 'Unauthorized')
      }
    }
  }
  WebSocketGateway({ path: '/ws' })(Gateway)
  class Application {}
  Module({ providers: [Gateway] })(Application)

  const app = await NestFactory.create(Application, { logger: false, abortOnError: false })
  app.useWebSocketAdapter(way === 'guard' ? new GuardedWsAdapter(app, headerGuard(keys)) : new WsAdapter(app))
  await app.init()
  return { server: app.getHttpServer() }
}
