import type { Identity } from '../identity.js'
import type { Clock } from '../support/clock.js'
import { Backlog } from './backlog.js'
import type { Connection } from './connection.js'
import type { LiveConnections } from './connections.js'
import type { LiveConnection } from './live-connection.js'

/**
 * Whether a connection may send this message. `true` lets it through; `false` drops it; a text is sent to the client as
 * the answer to it. In each case the connection lives on.
 */
export type Authorize<I extends Identity, M> = (
  connection: Connection<I>,
  message: M,
) => boolean | string | Promise<boolean | string>

/** What the inner door of a connection does with messages. */
export interface InnerDoorOptions<I extends Identity, M> {
  readonly connections: LiveConnections<I>
  readonly connection: LiveConnection<I>
  readonly clock: Clock
  readonly authorize?: Authorize<I, M> | undefined
  /** How many messages a second a connection may send; more end it with 4029. */
  readonly messagesPerSecond?: number | undefined
  /** How many bytes a message has. */
  readonly sizeOf: (message: M) => number
  /** Takes a message that is for the guard itself. Default: none is. */
  readonly takes?: (message: M) => boolean
  /** Gives the application a message that had to wait for its permission. */
  readonly deliver: (message: M) => unknown
}

/**
 * The inner door: a function that says whether a message may go to the application at once. A message that waits for its
 * permission is delivered later, in order, if the connection is still good by then.
 */
export function innerDoor<I extends Identity, M>(options: InnerDoorOptions<I, M>): (message: M) => boolean {
  const { connections, connection, clock, authorize, messagesPerSecond = Number.POSITIVE_INFINITY } = options
  const { sizeOf, takes, deliver } = options
  const { transport } = connection
  const waiting = new Backlog(transport, sizeOf)
  let second = 0
  let messages = 0

  function isFlood(): boolean {
    if (messagesPerSecond === Number.POSITIVE_INFINITY) return false
    const now = Math.floor(clock.now() / 1_000)
    if (now !== second) {
      second = now
      messages = 0
    }
    messages += 1
    return messages > messagesPerSecond
  }

  /** Whether it is permitted; a denial is answered. */
  function settle(permission: boolean | string): boolean {
    if (typeof permission === 'string') transport.send(permission)
    return permission === true
  }

  async function askInTurn(first: Promise<boolean | string>): Promise<void> {
    let permission = await first
    for (;;) {
      const message = waiting.shift()
      if (message === undefined || !connections.isOpen(connection)) break
      if (settle(permission)) deliver(message)
      const next = waiting.first
      if (next === undefined) break
      permission = (await authorize?.(connection, next)) ?? false
    }
    waiting.empty()
  }

  return (message) => {
    if (!connections.isOpen(connection)) return false
    if (isFlood()) {
      connections.end(connection, 'limited')
      return false
    }
    if (takes?.(message)) return false
    if (!authorize) return true
    if (waiting.size > 0) {
      if (!waiting.add(message)) connections.end(connection, 'limited')
      return false
    }
    try {
      const permission = authorize(connection, message)
      if (typeof permission !== 'object') return settle(permission)
      waiting.add(message)
      askInTurn(permission).catch((error: unknown) => connections.end(connection, 'internal', { error }))
    } catch (error) {
      connections.end(connection, 'internal', { error })
    }
    return false
  }
}
