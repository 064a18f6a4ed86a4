import type { ClosedEvent, GuardedSocketEventTarget } from './events.js'

/** What `onopen` and its like take. */
export type Handler<E> = ((this: WebSocket, event: E) => unknown) | null

/**
 * An `EventTarget` with the handlers of a WebSocket, as HTML has them: called among the listeners from where it was first
 * set, `null` for what is no object, and never called for an object that is no function.
 */
export class HandlerTarget extends (EventTarget as new () => GuardedSocketEventTarget) {
  declare onopen: Handler<Event>
  declare onmessage: Handler<MessageEvent>
  declare onclose: Handler<ClosedEvent>
  declare onerror: Handler<Event>

  constructor() {
    super()
    for (const type of ['open', 'message', 'close', 'error']) {
      let handler: { call?(self: unknown, event: Event): unknown } | null | undefined
      Object.defineProperty(this, `on${type}`, {
        get: () => handler ?? null,
        set: (value: typeof handler) => {
          if (handler === undefined) {
            this.addEventListener(type, (event) => handler?.call?.(this, event))
          }
          handler = Object(value) === value ? value : null
        },
      })
    }
  }
}
