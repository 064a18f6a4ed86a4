import type { ConnectionHandler } from '../adapters/ws/guard-server.js'
import type { Guard } from '../guard/guard.js'
import type { ParamsOf, RoutePath } from '../handshake/path.js'
import type { Identity } from '../identity.js'
import { memoryStore } from '../stores/memory.js'
import type { Store } from '../stores/store.js'
import { checkedNumber } from '../support/checked-number.js'
import type { TestClock } from './clock.js'
import { type TestServer, type TestServerOptions, testServer } from './server.js'

/** Options of {@link testNodes}. */
export interface TestNodesOptions<I extends Identity, P extends RoutePath = RoutePath> extends TestServerOptions<I, P> {
  /** How many nodes, 2 at least. Default 2. */
  readonly nodes?: number
}

/** One of several nodes: a server, and its guard. */
export interface TestNode<I extends Identity> extends TestServer<I> {
  readonly guard: Guard<I>
}

/**
 * Runs an application on several nodes: each has a guard and a server of its own, and they know of one another by the store
 * alone. `create` makes the guard of a node, from the store and the clock that all share.
 *
 * @throws ConfigurationError when there are fewer than two
 */
export function testNodes<I extends Identity, const P extends RoutePath = '/ws'>(
  create: (shared: { readonly store: Store; readonly clock: TestClock }) => Guard<I>,
  onConnection: ConnectionHandler<I, ParamsOf<P>>,
  { nodes = 2, ...options }: TestNodesOptions<I, P>,
): readonly [TestNode<I>, TestNode<I>, ...TestNode<I>[]] {
  const { clock } = options
  const store = memoryStore({ clock })
  const node = (): TestNode<I> => {
    const guard = create({ store, clock })
    return { guard, ...testServer(guard, onConnection, options) }
  }
  const more = checkedNumber('testNodes', 'nodes', nodes, 2, 1_000) - 2
  return [node(), node(), ...Array.from({ length: more }, node)]
}
