import type { INestApplication } from '@nestjs/common'
import { IoAdapter } from '@nestjs/platform-socket.io'
import type { Server, ServerOptions, Socket } from 'socket.io'
import type { Guard } from '../../guard/guard.js'
import type { Identity } from '../../identity.js'
import { connectionOf, type GuardSocketIoOptions, guardSocketIo } from '../socket-io/guard-socket-io.js'
import { knowClient } from './current-identity.js'

export { connectionOf, type GuardSocketIoOptions } from '../socket-io/guard-socket-io.js'
export {
  CurrentIdentity,
  type GuardedIdentity,
  type IdentityParameter,
  type NestGuard,
  type OfAnotherType,
  type ParameterOf,
} from './current-identity.js'

/**
 * Nest's `IoAdapter` behind a guard: gateways see accepted clients alone, in all namespaces, as {@link guardSocketIo} has
 * it.
 *
 * ```ts
 * app.useWebSocketAdapter(new GuardedIoAdapter(app, guard))
 * ```
 *
 * @throws ConfigurationError when the application starts, on what `guardSocketIo` throws
 */
export class GuardedIoAdapter<I extends Identity> extends IoAdapter {
  readonly #guard: Guard<I>
  readonly #options: GuardSocketIoOptions<I>

  constructor(app: INestApplication, guard: Guard<I>, options: GuardSocketIoOptions<I> = {}) {
    super(app.getHttpServer())
    this.#guard = guard
    this.#options = options
  }

  override createIOServer(port: number, options?: ServerOptions): Server {
    const io: Server = super.createIOServer(port, options)
    guardSocketIo(io, this.#guard, this.#options)
    return io
  }

  override bindClientConnect(server: Server, callback: (client: Socket) => void): void {
    super.bindClientConnect(server, (client: Socket) => {
      knowClient(client, connectionOf(this.#guard, client))
      callback(client)
    })
  }
}
