import { withoutCredentials } from '../carriers/query.js'
import { type Handshake, readTarget, singleHeader } from '../handshake/request.js'

/** What is kept of the handshake that opened a connection. No credential is. */
export interface ConnectionSource {
  readonly path: string
  readonly query: string
  readonly origin: string | undefined
  readonly address: string
}

/** What a verifier gets to see when it is asked about a connection later. */
export function handshakeOf({ path, address }: Pick<ConnectionSource, 'path' | 'address'>): Handshake {
  return { method: 'GET', headers: [], target: path, address }
}

/** Reads it; `address` is the client's. */
export function sourceOf(handshake: Handshake, address: string): ConnectionSource {
  const target = readTarget(handshake.target)
  const origin = singleHeader(handshake, 'origin')
  return {
    path: target?.path ?? '',
    query: withoutCredentials(target?.query ?? ''),
    // What is no origin is nobody's to log or compare.
    origin: typeof origin === 'string' && /^[\x21-\x7e]+$/.test(origin) ? origin : undefined,
    address,
  }
}
