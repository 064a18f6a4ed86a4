import { readAuthFrame } from '@sallyport/protocol'
import type { Handshake } from '../handshake/request.js'
import type { Identity } from '../identity.js'
import type { Accept, Verdict } from '../verdict.js'
import { nonceOf, saysNothing } from './first-message.js'
import type { LiveConnection } from './live-connection.js'
import { handshakeOf } from './source.js'

/** What becomes of a connection. */
interface Life<I extends Identity> {
  isOpen(connection: LiveConnection<I>): boolean
  renew(connection: LiveConnection<I>, accept: Accept<I>): boolean
  expiresIn(connection: LiveConnection<I>): number | undefined
  end(connection: LiveConnection<I>, code: 'forbidden' | 'internal', cause?: { error?: unknown }): void
}

/**
 * Takes a text message of a connection that authenticated by first message. `true`: it was an `auth` frame, which
 * renews the connection; the application must not see it. One without the client's nonce is somebody else's, whose text
 * the client relays.
 */
export function receiveFrame<I extends Identity>(
  connections: Life<I>,
  connection: LiveConnection<I>,
  text: string,
  verify: (handshake: Handshake) => Promise<Verdict<I>>,
): boolean {
  const frame = readAuthFrame(text)
  if (frame === undefined || nonceOf(frame) !== connection.accept.nonce) return false
  renewInBand(connections, connection, text, verify).catch((error: unknown) => {
    connections.end(connection, 'internal', { error })
  })
  return true
}

/** Renews a connection by the `auth` frame in `message`, one at a time: what comes while one is verified is dropped. */
async function renewInBand<I extends Identity>(
  connections: Life<I>,
  connection: LiveConnection<I>,
  message: string,
  verify: (handshake: Handshake) => Promise<Verdict<I>>,
): Promise<void> {
  if (!connections.isOpen(connection) || connection.renewing) return
  connection.renewing = true
  const verdict = await verify({ ...handshakeOf(connection), message })
  connection.renewing = false
  if (!connections.isOpen(connection)) return
  if (verdict.type === 'refuse') {
    // A bad credential leaves the one it was accepted with, which is still good until it ends.
    if (!saysNothing(verdict.code)) connection.tell({ type: 'auth_fail' })
  } else if (verdict.type === 'accept') {
    if (!connections.renew(connection, verdict)) connections.end(connection, 'forbidden')
    else if (connections.isOpen(connection)) connection.acknowledge(connections.expiresIn(connection))
  }
}
