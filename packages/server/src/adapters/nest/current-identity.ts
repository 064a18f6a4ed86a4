import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import type { Connection } from '../../connections/connection.js'
import type { Guard } from '../../guard/guard.js'
import type { Identity } from '../../identity.js'

/**
 * The guard of your application, by which {@link CurrentIdentity} knows its identities:
 *
 * ```ts
 * declare module '@sallyport/server/nest' {
 *   interface NestGuard { guard: typeof guard }
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: an application adds its guard
export interface NestGuard {}

/** The identity that the guard in {@link NestGuard} knows. */
export type GuardedIdentity = NestGuard extends { readonly guard: Guard<infer I> } ? I : Identity

/** The type of a parameter of a method. */
export type ParameterOf<M, N extends number> = M extends (...args: infer A) => unknown ? A[N] : never

/** What a compiler says of a parameter of another type. */
export interface OfAnotherType {
  readonly 'the guard in NestGuard knows another identity': true
}

/** Puts something into a parameter of a method, whose type is looked at. */
export type IdentityParameter = <T extends object, K extends keyof T & (string | symbol), N extends number>(
  target: T,
  key: K,
  index: GuardedIdentity extends ParameterOf<T[K], N> ? N : N & OfAnotherType,
) => void

const connections = new WeakMap<object, Connection>()

/** Remembers the connection of a client. */
export function knowClient(client: object, connection: Connection): void {
  connections.set(client, connection)
}

/**
 * Gives a handler of a gateway the identity of who sent the message, as it is now: a renewal may have changed it.
 *
 * ```ts
 * @SubscribeMessage('say')
 * say(@MessageBody() text: string, @CurrentIdentity() user: User) {}
 * ```
 *
 * The parameter has the type of the identity that the guard in {@link NestGuard} knows; another does not compile. The
 * handler fails with a TypeError for a client that no guard has accepted.
 */
export const CurrentIdentity: () => IdentityParameter = createParamDecorator(
  (_: unknown, context: ExecutionContext) => {
    const connection = connections.get(context.switchToWs().getClient())
    if (!connection) throw new TypeError('CurrentIdentity: no guard has accepted that client')
    return connection.identity
  },
)
