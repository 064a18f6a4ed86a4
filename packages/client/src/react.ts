import { useEffect, useInsertionEffect, useState, useSyncExternalStore } from 'react'
import type { GuardedSocket } from './guarded-socket.js'
import { type SocketState, stateOf } from './state.js'
import type { Sendable } from './web-socket-like.js'

/** A socket as a component sees it: its state, and what can be done with it. The functions are always the same ones. */
export interface UsedSocket extends SocketState {
  /** `undefined` on a server, and until the component is mounted. */
  readonly socket: GuardedSocket | undefined
  /**
   * As the socket's own. It does nothing after the component is gone, nor between one socket and the next, which is when
   * the effects of a new child run. Throws before it is mounted.
   */
  readonly send: (data: Sendable) => void
  /** As the socket's own: starts anew, after it gave up. */
  readonly reset: () => void
}

/**
 * Holds a socket for as long as a component is mounted, and renders again whenever its state changes.
 *
 * ```tsx
 * const { status, outcome, send } = useGuardedSocket(() => {
 *   const socket = new GuardedSocket('/ws', { credential: ticket('/ws/ticket') })
 *   socket.addEventListener('message', ({ data }) => setLines((lines) => [...lines, data]))
 *   return socket
 * }, [user.id])
 * ```
 *
 * `make` is called when the component is mounted, and again when one of `dependencies` is another one: the socket of before
 * is closed then, and nothing that was queued in it is sent. Strict mode and fast refresh, which unmount a component and
 * mount it at once, keep the socket they have. Nothing is made on a server, where the status is `connecting`.
 */
export function useGuardedSocket(make: () => GuardedSocket, dependencies: readonly unknown[] = []): UsedSocket {
  const [holder] = useState(createHolder)
  // Its end comes before every effect of a child, those of layout too.
  // biome-ignore lint/correctness/useExhaustiveDependencies: they are the caller's, as those of an effect are
  useInsertionEffect(() => holder.leave, dependencies)
  // biome-ignore lint/correctness/useExhaustiveDependencies: they are the caller's, as those of an effect are
  useEffect(() => holder.hold(make, dependencies), dependencies)
  const state = useSyncExternalStore(holder.subscribe, holder.snapshot, notYet)
  const { send, reset } = holder
  return { ...state, socket: holder.socket, send, reset }
}

const connecting: SocketState = { status: 'connecting' }
const notYet = () => connecting

interface Held {
  readonly socket: GuardedSocket
  readonly dependencies: readonly unknown[]
  readonly snapshot: () => SocketState
  readonly unsubscribe: () => void
}

/** Holds one socket at a time. */
function createHolder() {
  let held: Held | undefined
  /** Whether it is mounted; `undefined` before it first was. */
  let isMounted: boolean | undefined
  const listeners = new Set<() => void>()

  /** The socket, unless the component is gone or is about to have another. */
  const current = () => (isMounted ? held?.socket : undefined)

  function leave(): void {
    isMounted = false
  }

  function tell(): void {
    for (const listener of listeners) listener()
  }

  function drop(): void {
    held?.unsubscribe()
    held?.socket.close()
    held = undefined
  }

  function take(make: () => GuardedSocket, dependencies: readonly unknown[]): void {
    const socket = make()
    const { snapshot, subscribe } = stateOf(socket)
    held = { socket, dependencies, snapshot, unsubscribe: subscribe(tell) }
    tell()
  }

  return {
    get socket() {
      return held?.socket
    },
    leave,
    hold(make: () => GuardedSocket, dependencies: readonly unknown[]): () => void {
      isMounted = true
      if (held && !isSame(held.dependencies, dependencies)) drop()
      if (!held) take(make, dependencies)
      return () => {
        leave()
        // Unless it is mounted again at once.
        queueMicrotask(() => {
          if (!isMounted) drop()
        })
      }
    },
    subscribe(listener: () => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    snapshot: () => held?.snapshot() ?? connecting,
    send(data: Sendable): void {
      if (isMounted === undefined)
        throw new Error('useGuardedSocket: nothing can be sent before the component is mounted')
      current()?.send(data)
    },
    reset: () => current()?.reset(),
  }
}

const isSame = (one: readonly unknown[], other: readonly unknown[]) =>
  one.length === other.length && one.every((value, at) => Object.is(value, other[at]))
