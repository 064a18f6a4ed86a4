import type { News } from '../dialects/dialect.js'
import type { Identity } from '../identity.js'
import type { LiveConnection } from './live-connection.js'

/** What becomes of a connection. */
interface Life<I extends Identity> {
  isOpen(connection: LiveConnection<I>): boolean
  expiresIn(connection: LiveConnection<I>): number | undefined
  end(connection: LiveConnection<I>, code: 'internal', cause: { error: unknown }): void
}

/** Tells the client of a connection something, in the words of its protocol. */
export function tell<I extends Identity>(connections: Life<I>, connection: LiveConnection<I>, news: News): void {
  try {
    const said = connection.conversation?.say(news)
    if (said !== undefined) connection.transport.send(said)
  } catch (error) {
    connections.end(connection, 'internal', { error })
  }
}

/** Tells the client that it is accepted, and for how many seconds, where that ends. Answers whether it still is. */
export function acknowledge<I extends Identity>(connections: Life<I>, connection: LiveConnection<I>): boolean {
  const expiresIn = connections.expiresIn(connection)
  tell(connections, connection, {
    type: 'accepted',
    userId: connection.identity.id,
    connection: connection.id,
    ...(expiresIn !== undefined && { expiresIn }),
  })
  return connections.isOpen(connection)
}
