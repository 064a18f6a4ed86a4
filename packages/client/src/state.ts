import type { Failure } from './events.js'
import type { GuardedSocket } from './guarded-socket.js'

/** What a socket is doing, as one value. */
export interface SocketState extends Partial<Failure> {
  /**
   * `connecting`: for the first time, or after `reset()`. `open`: the server has acknowledged it. `reconnecting`: it was
   * lost or refused because of `outcome`, and comes again. `closing` and `closed`: the application has closed it; with an
   * `outcome`, the socket gave up.
   */
  readonly status: 'connecting' | 'open' | 'reconnecting' | 'closing' | 'closed'
}

/** The state of a socket, to read and to follow. Its functions need no `this`. */
export interface StateStore {
  /** The state now: the same object until it changes. */
  readonly snapshot: () => SocketState
  /** Calls `listener` with the state at once and after every change; the returned function ends that. */
  readonly subscribe: (listener: (state: SocketState) => void) => () => void
}

const stores = new WeakMap<GuardedSocket, StateStore>()

/**
 * The state of a socket as a store, always the same one for a socket.
 *
 * ```ts
 * const { subscribe, snapshot } = stateOf(socket)
 * const { status, outcome } = useSyncExternalStore(subscribe, snapshot) // React; in Svelte it is a store as it stands
 * subscribe((now) => (state.value = now)) // Vue, where `state` is a `shallowRef`
 * ```
 */
export function stateOf(socket: GuardedSocket): StateStore {
  const store = stores.get(socket) ?? createStore(socket)
  stores.set(socket, store)
  return store
}

function createStore(socket: GuardedSocket): StateStore {
  let readyState: number | undefined
  let failure: Failure | undefined
  let state: SocketState

  function snapshot(): SocketState {
    if (socket.readyState !== readyState || socket.failure !== failure) {
      ;({ readyState, failure } = socket)
      state = describe(readyState, failure)
    }
    return state
  }

  return {
    snapshot,
    subscribe(listener) {
      let last = snapshot()
      const look = () => {
        if (last === snapshot()) return
        last = snapshot()
        listener(last)
      }
      socket.addEventListener('statechange', look)
      listener(last)
      return () => socket.removeEventListener('statechange', look)
    },
  }
}

function describe(readyState: number, failure: Failure | undefined): SocketState {
  const status = (['connecting', 'open', 'closing', 'closed'] as const)[readyState] ?? 'closed'
  const waits = failure?.attempt !== undefined
  if (status === 'connecting' && waits) return { status: 'reconnecting', ...failure }
  // A failure after which it was to come again is not why it is closed.
  return status === 'closed' && failure && !waits ? { status, ...failure } : { status }
}
