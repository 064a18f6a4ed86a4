import type { Connection } from '../../connections/connection.js'
import { liveConnections } from '../../connections/of-guard.js'
import { checkedGuard, type Guard } from '../../guard/guard.js'
import type { RoutePath } from '../../handshake/path.js'
import type { Identity } from '../../identity.js'
import { storeFor } from '../../stores/objects/object-store.js'
import type { StoreCalls } from '../../stores/objects/store-object.js'
import type { Store } from '../../stores/store.js'
import { checkedFunction, checkedObject, checkedText } from '../../support/checked-kind.js'
import type {
  EnvOf,
  Extended,
  ObjectBase,
  ObjectNamespace,
  ObjectState,
  OpenBase,
  RuntimeWebSocket,
  SocketOf,
} from '../../support/cloudflare.js'
import { ConfigurationError } from '../../support/errors.js'
import type { FetchRouteOptions } from '../fetch/route-options.js'
import { ObjectDoor, type SocketHooks } from './object-door.js'
import type { ObjectMessage } from './object-gate.js'

export type { Look, Looked } from '../../stores/objects/log-table.js'
export { type ObjectStoreOptions, objectStore } from '../../stores/objects/object-store.js'
export { type StoreCalls, storeObject } from '../../stores/objects/store-object.js'
export type { EnvOf, Extended, ObjectBase, RuntimeWebSocket, SocketOf } from '../../support/cloudflare.js'
export type { ObjectMessage } from './object-gate.js'

/** Options of {@link guardedObject}. */
export interface GuardedObjectOptions<Env, I extends Identity> extends FetchRouteOptions<I, RoutePath, ObjectMessage> {
  /**
   * Makes the guard of an object, each time that it comes into memory. It takes the store that it is given, which tells the
   * object of revocations while it sleeps.
   */
  readonly guard: (store: Store, env: Env) => Guard<I>
  /** The binding of the namespace of this class, such as `ROOM`. */
  readonly binding: string
  /** The binding of the namespace of a class of `storeObject`, such as `SALLYPORT`. */
  readonly store: string
}

/** A Durable Object whose sockets are guarded; `S` is the runtime's `WebSocket`. */
export interface GuardedObject<I extends Identity, S> {
  readonly guard: Guard<I>
  /** All sockets that are let in, those among them that slept: what is sent goes by these. */
  connections(): Promise<[socket: S, connection: Connection<I>][]>
  /** A socket was accepted. While it answers a promise that has not settled, its messages wait. */
  onConnect(socket: S, connection: Connection<I>): unknown
  onMessage(socket: S, message: ObjectMessage, connection: Connection<I>): unknown
  /**
   * A socket is gone: told once of each that was accepted, behind its last messages, also of one that slept. Of one that the
   * guard has closed, when its peer has answered, or a second later.
   */
  onClose(socket: S, connection: Connection<I>, code: number, reason: string): unknown
  /** Answers a request that is for none of the guard's routes. Default: 404. */
  onRequest(request: Request): Response | Promise<Response>
  fetch(request: Request): Promise<Response>
  alarm(): Promise<void>
}

/**
 * A Durable Object whose WebSockets are guarded, and that sleeps while they are quiet (hibernation). Your class extends it,
 * and sees accepted sockets alone.
 *
 * ```ts
 * export class Room extends guardedObject(DurableObject<Env>, {
 *   binding: 'ROOM',
 *   store: 'SALLYPORT',
 *   path: '/rooms/:room',
 *   guard: (store, env) => createGuard({ store, accept: [ticket(), header({ verify: verifierOf(env) })] }),
 * }) {
 *   override onMessage(socket: WebSocket, message: string | ArrayBuffer) {
 *     socket.send(message)
 *   }
 * }
 * ```
 *
 * @throws ConfigurationError when an option is none, and when an object comes into memory, and one cannot work
 */
export function guardedObject<B extends ObjectBase, I extends Identity>(
  Base: B,
  options: GuardedObjectOptions<EnvOf<B>, I>,
): Extended<B, GuardedObject<I, SocketOf<B>>> {
  checkedFunction(owner, 'Base', Base, 'the class DurableObject of cloudflare:workers')
  checkedObject(owner, 'options', options, "{ guard, binding: 'ROOM', store: 'SALLYPORT', path: '/ws' }")
  checkedFunction(owner, 'guard', options.guard, 'a function that makes a guard')
  for (const name of ['binding', 'store'] as const) checkedText(owner, name, options[name], 'the name of a binding')
  return class extends (Base as unknown as OpenBase) implements SocketHooks<I> {
    readonly guard: Guard<I>
    readonly #door: ObjectDoor<I>

    constructor(ctx: ObjectState, env: object) {
      super(ctx, env)
      const holds = () => this.#door.holds
      const object = {
        id: ctx.id.toString(),
        get binding() {
          return holds() ? options.binding : undefined
        },
      }
      namespaceOf(env, options.binding)
      this.guard = options.guard(storeFor(namespaceOf(env, options.store), {}, object), env as EnvOf<B>)
      const { sleepless } = liveConnections(checkedGuard(owner, this.guard))
      if (sleepless) {
        throw new ConfigurationError(
          'object-sleeps',
          `guardedObject: the guard has ${sleepless}, which needs connections that stay in memory; leave it out here`,
        )
      }
      this.#door = new ObjectDoor<I>(this.guard, ctx, this, options)
    }

    async fetch(request: Request): Promise<Response> {
      return (await this.#door.fetch(request)) ?? this.onRequest(request)
    }
    onRequest(_: Request): Response | Promise<Response> {
      return new Response(null, { status: 404 })
    }
    onConnect(): unknown {
      return undefined
    }
    onMessage(): unknown {
      return undefined
    }
    onClose(): unknown {
      return undefined
    }
    connections() {
      return this.#door.connections()
    }
    webSocketMessage(socket: RuntimeWebSocket, message: ObjectMessage) {
      return this.#door.take(socket, message)
    }
    webSocketClose(socket: RuntimeWebSocket, code: number, reason: string) {
      return this.#door.closed(socket, code, reason)
    }
    webSocketError(socket: RuntimeWebSocket) {
      return this.#door.closed(socket, 1006, '')
    }
    alarm() {
      return this.#door.alarm()
    }
    /** Called by the log of the store, when it has something new. */
    sallyportNews() {
      return this.#door.news()
    }
  } as unknown as Extended<B, GuardedObject<I, SocketOf<B>>>
}

const owner = 'guardedObject'

function namespaceOf(env: object, binding: string): ObjectNamespace<StoreCalls> {
  const namespace = (env as Readonly<Record<string, unknown>>)[binding]
  if (typeof namespace !== 'object' || namespace === null || !('idFromName' in namespace)) {
    throw new ConfigurationError(
      'object-binding',
      `guardedObject: there is no binding ${binding}; bind the namespace of a Durable Object to it`,
    )
  }
  return namespace as ObjectNamespace<StoreCalls>
}
