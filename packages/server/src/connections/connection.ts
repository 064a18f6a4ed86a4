import type { PathParams } from '../handshake/request.js'
import type { Identity } from '../identity.js'
import type { MethodName } from '../verdict.js'

/** A live authenticated socket; `P` are the parameters of its path. */
export interface Connection<I extends Identity = Identity, P extends PathParams = PathParams> {
  /** Names the connection: 128 random bits in base64url. */
  readonly id: string
  /** Whose it is, as its verifier told: the type is the verifier's. */
  readonly identity: I
  /** How it authenticated. */
  readonly method: MethodName
  /** When it was accepted, in milliseconds since the epoch. */
  readonly since: number
  /** When its credential ends, in milliseconds since the epoch; `undefined` when it has no end. */
  readonly expiresAt: number | undefined
  /** The parent login, where the verifier told one. */
  readonly session: string | undefined
  /** The id of its token, where the verifier told one. */
  readonly token: string | undefined
  /** The application's subprotocol that was selected. */
  readonly protocol: string | undefined
  /** The path that was asked for. */
  readonly path: string
  /** The parameters of the path, where the route's path has some: `{ room }` of `/yjs/:room`. */
  readonly params: P
  /** The query of the handshake without the parameters that carry credentials. */
  readonly query: URLSearchParams
  /** The `Origin` header, where there was one. */
  readonly origin: string | undefined
  /** The client's address: the peer's, or what `trustedProxies` forward; empty where nobody tells one. */
  readonly address: string
}

/** The live connections of a node: `for (const { identity } of guard.connections)`. `guard.revoke` ends them. */
export interface Connections<I extends Identity = Identity> extends Iterable<Connection<I>> {
  /** How many there are. */
  readonly size: number
  /** The connection of that id. */
  get(id: string): Connection<I> | undefined
}
