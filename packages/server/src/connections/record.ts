import { converseIn } from '../dialects/plain.js'
import type { Identity } from '../identity.js'
import type { Accept } from '../verdict.js'
import { LiveConnection } from './live-connection.js'
import type { ConnectionSource } from './source.js'
import type { Transport } from './transport.js'

/**
 * A connection written down, for a runtime that forgets all but its sockets. It is plain data, as far as the identity is,
 * and no credential is in it.
 */
export interface ConnectionRecord<I extends Identity = Identity> {
  readonly id: string
  readonly since: number
  readonly accept: Omit<Accept<I>, 'recheck'>
  readonly source: ConnectionSource
  /** Whether its client was told that its credential is about to end. */
  readonly noticed: boolean
  /** What the talk with its client has to know. */
  readonly memory?: string | undefined
}

/** Writes a connection down. */
export function recordOf<I extends Identity>(connection: LiveConnection<I>): ConnectionRecord<I> {
  const { id, since, noticed, path, params, query, origin, address } = connection
  const { recheck, ...accept } = connection.accept
  const source = { path, params, query: query.toString(), origin, address }
  return { id, since, noticed, accept, source, memory: connection.conversation?.memory }
}

/** Makes the connection again. Its client may talk of renewals as before. */
export function revive<I extends Identity>(
  { id, since, noticed, accept, source, memory }: ConnectionRecord<I>,
  transport: Transport,
  onClosed: (connection: LiveConnection<I>) => void,
): LiveConnection<I> {
  const conversation = accept.method === 'message' ? converseIn(transport.dialect, memory) : undefined
  const connection = new LiveConnection<I>(id, since, accept, source, transport, onClosed, conversation)
  connection.noticed = noticed
  return connection
}
