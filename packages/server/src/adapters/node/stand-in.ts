import type { EventEmitter } from 'node:events'

/** A listener that is there while no other is. */
export interface StandIn {
  /** Whether nobody else listens. */
  readonly isAlone: boolean
  /** Takes it off for good. */
  leave(): void
}

/**
 * Keeps one listener, which does nothing, on an event of a server: Node.js makes an upgrade of a request only where
 * somebody listens for it. Beside others it steps back, because some of them take an upgrade that nobody wants for their
 * business only when they are alone.
 */
export function standInFor(server: EventEmitter, event: string): StandIn {
  const standIn = () => {}
  let isOn = true

  function stand(): void {
    if (isOn && server.listenerCount(event) === 0) server.on(event, standIn)
  }

  function onListener(added: string | symbol, listener: unknown): void {
    if (added === event && listener !== standIn) server.off(event, standIn)
  }

  function onListenerGone(removed: string | symbol): void {
    // All of them may be going, and nothing comes before the next turn.
    if (removed === event) process.nextTick(stand)
  }

  server.on('newListener', onListener)
  server.on('removeListener', onListenerGone)
  stand()
  return {
    get isAlone() {
      return server.listeners(event).every((listener) => listener === standIn)
    },
    leave() {
      isOn = false
      server.off('newListener', onListener)
      server.off('removeListener', onListenerGone)
      server.off(event, standIn)
    },
  }
}
