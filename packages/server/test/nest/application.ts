import 'reflect-metadata'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type INestApplication, Module, type Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { WebSocketGateway } from '@nestjs/websockets'
import type { Guard, Identity } from '@sallyport/server'
import { connectionOf, GuardedWsAdapter, type GuardedWsAdapterOptions } from '@sallyport/server/nest'
import type { ConnectionHandler } from '@sallyport/server/ws'
import { onTestFinished } from 'vitest'
import type { WebSocket } from 'ws'

/** A live application of Nest. */
export interface TestApplication {
  readonly app: INestApplication
  readonly port: number
  /** `ws://127.0.0.1:port/ws` */
  readonly url: string
}

/** Starts an application with these gateways; it is stopped when the test is over. */
export async function startNest<I extends Identity>(
  guard: Guard<I>,
  gateways: Type[],
  options?: GuardedWsAdapterOptions<I>,
  { controllers = [], prepare = () => {} }: { controllers?: Type[]; prepare?: (app: INestApplication) => void } = {},
): Promise<TestApplication> {
  @Module({ providers: gateways, controllers })
  class Application {}
  const app = await NestFactory.create(Application, { logger: false, abortOnError: false })
  app.useWebSocketAdapter(new GuardedWsAdapter(app, guard, options))
  prepare(app)
  const sockets = new Set<Socket>()
  app.getHttpServer().on('connection', (socket: Socket) => sockets.add(socket))
  await app.listen(0, '127.0.0.1')
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await app.close()
  })
  const { port } = app.getHttpServer().address() as AddressInfo
  return { app, port, url: `ws://127.0.0.1:${port}/ws` }
}

/**
 * A gateway at `/ws` that gives its clients to a handler, as `guardServer` does. It catches what the handler throws: Nest
 * does not, and the process would end.
 */
export function gatewayFor<I extends Identity>(guard: Guard<I>, onConnection: ConnectionHandler<I>): Type {
  @WebSocketGateway({ path: '/ws' })
  class Gateway {
    async handleConnection(client: WebSocket, request: IncomingMessage) {
      try {
        await onConnection(client, connectionOf(guard, client), request)
      } catch {}
    }
  }
  return Gateway
}
