import { type Heard, saysNothing, type WireMessage } from '../dialects/dialect.js'
import type { Handshake } from '../handshake/request.js'
import type { Identity } from '../identity.js'
import type { Accept, Verdict } from '../verdict.js'
import type { LiveConnection } from './live-connection.js'
import { handshakeOf } from './source.js'
import { acknowledge, tell } from './tell.js'

/** What becomes of a connection. */
interface Life<I extends Identity> {
  isOpen(connection: LiveConnection<I>): boolean
  renew(connection: LiveConnection<I>, accept: Accept<I>): boolean
  expiresIn(connection: LiveConnection<I>): number | undefined
  end(connection: LiveConnection<I>, code: 'forbidden' | 'internal', cause?: { error?: unknown }): void
}

/**
 * Whether the guard has taken a message, which the application must not see. A promise: it has, later messages wait until it
 * settles, and the application then gets these first.
 */
export type Taken = boolean | Promise<readonly WireMessage[]>

type Verify<I extends Identity> = (handshake: Handshake) => Promise<Verdict<I>>

/** Takes a message of a connection that authenticated by first message, when it brings a newer credential. */
export function hearAgain<I extends Identity>(
  connections: Life<I>,
  connection: LiveConnection<I>,
  message: WireMessage,
  verify: Verify<I>,
): Taken {
  const fail = (error: unknown): false => {
    connections.end(connection, 'internal', { error })
    return false
  }
  let heard: Heard
  try {
    heard = connection.conversation?.hearAgain?.(message)
  } catch (error) {
    fail(error)
    return true
  }
  if (heard === undefined || heard === 'absent') return false
  const { credential, rest } = heard === 'malformed' ? { credential: '', rest: [] } : heard
  const renewed = renewInBand(connections, connection, credential, verify).catch(fail)
  return rest.length === 0 || renewed.then((isRenewed) => (isRenewed ? rest : []))
}

/** Renews a connection by a newer credential, one at a time: what comes while one is verified is dropped. */
async function renewInBand<I extends Identity>(
  connections: Life<I>,
  connection: LiveConnection<I>,
  credential: string,
  verify: Verify<I>,
): Promise<boolean> {
  if (!connections.isOpen(connection) || connection.renewing) return false
  connection.renewing = true
  const verdict = await verify({ ...handshakeOf(connection), message: credential })
  connection.renewing = false
  if (!connections.isOpen(connection)) return false
  if (verdict.type === 'refuse') {
    // A bad credential leaves the one it was accepted with, which is still good until it ends.
    if (!saysNothing(verdict.code)) tell(connections, connection, { type: 'refused', code: verdict.code })
  } else if (verdict.type === 'accept') {
    if (connections.renew(connection, verdict))
      return connections.isOpen(connection) && acknowledge(connections, connection)
    connections.end(connection, 'forbidden')
  }
  return false
}
