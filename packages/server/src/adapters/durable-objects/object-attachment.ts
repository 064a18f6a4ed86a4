import type { LiveConnection } from '../../connections/live-connection.js'
import { type ConnectionRecord, recordOf } from '../../connections/record.js'
import type { Identity } from '../../identity.js'
import type { ObjectState, RuntimeWebSocket } from '../../support/cloudflare.js'

/** What an object keeps beside a socket while it sleeps: 16 KiB at most, and no credential. */
export interface Attachment<I extends Identity> {
  /** When to look at the connection next, in milliseconds since the epoch. */
  readonly lookAt: number
  /** The connection; absent where it is too large, and is kept in the object's storage under `key`. */
  readonly record?: ConnectionRecord<I>
  readonly key?: string
}

/** What the keys of ours begin with in the storage of an object. */
export const keyPrefix = 'sallyport:'
const keyOf = (connection: string): string => `${keyPrefix}${connection}`

/** Keeps a connection beside its socket. */
export function attach<I extends Identity>(
  { storage: { kv } }: ObjectState,
  socket: RuntimeWebSocket,
  connection: LiveConnection<I>,
  lookAt: number,
): void {
  const record = recordOf(connection)
  const key = keyOf(connection.id)
  try {
    socket.serializeAttachment({ lookAt, record } satisfies Attachment<I>)
  } catch {
    kv.put(key, record)
    socket.serializeAttachment({ lookAt, key } satisfies Attachment<I>)
  }
}

/** Keeps nothing any more: whoever wakes finds nothing to let in. */
export function detach({ storage }: ObjectState, socket: RuntimeWebSocket, connection: string | undefined): void {
  socket.serializeAttachment(null)
  if (connection !== undefined) storage.kv.delete(keyOf(connection))
}

/** What is kept beside a socket. `undefined`: nobody may come in by it. */
export const attachmentOf = <I extends Identity>(socket: RuntimeWebSocket): Attachment<I> | undefined =>
  (socket.deserializeAttachment() as Attachment<I> | null) ?? undefined

/** The connection that is kept so. */
export const recordIn = <I extends Identity>(
  { storage }: ObjectState,
  { record, key = '' }: Attachment<I>,
): ConnectionRecord<I> | undefined => record ?? storage.kv.get(key)
