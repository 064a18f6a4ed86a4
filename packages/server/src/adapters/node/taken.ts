import type { Duplex } from 'node:stream'
import type { Clock } from '../../support/clock.js'

const untouchedGrace = 1_000
const touchedGrace = 10_000

/**
 * Calls back when nobody has taken the socket of an upgrade that was left to others: written something, read, or ended
 * it. A socket that nobody has touched has a second. Who listens on it may still think, for ten: a listener for `error`
 * is what everybody needs who thinks about an upgrade, because a reset ends the process otherwise.
 */
export function unlessTaken(socket: Duplex, clock: Clock, callback: () => void): void {
  const look = (ms: number, then: () => void) =>
    clock.after(ms, () => {
      if (!isTaken()) then()
    })
  let cancel = look(untouchedGrace, () => {
    if (listenersOf(socket) === listeners) callback()
    else cancel = look(touchedGrace - untouchedGrace, callback)
  })
  socket.once('close', () => cancel())
  const listeners = listenersOf(socket)
  const written = writtenOf(socket)
  const isTaken = () =>
    socket.destroyed || socket.writableEnded || socket.readableFlowing !== null || writtenOf(socket) !== written
}

/** What was written; a connection may have had responses before. */
const writtenOf = (socket: Duplex): unknown => 'bytesWritten' in socket && socket.bytesWritten

const listenersOf = (socket: Duplex): number =>
  socket.eventNames().reduce((count, event) => count + socket.listenerCount(event), 0)
