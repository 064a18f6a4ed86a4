import type { Identity } from '../identity.js'
import type { Connections } from './connection.js'
import type { LiveConnections } from './connections.js'

/** The connections of a guard, for adapters: a guard has no others. */
export const liveConnections = <I extends Identity>(guard: {
  readonly connections: Connections<I>
}): LiveConnections<I> => guard.connections as LiveConnections<I>
