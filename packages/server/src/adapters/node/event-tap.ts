import type { EventEmitter } from 'node:events'

/** Sees an event before its listeners do. `true`: it has taken the event, and they do not hear of it. */
export type Tap = (event: string | symbol, args: readonly unknown[]) => boolean

/**
 * Sees all events of an emitter, whoever listens to them, before or after us: a library that takes the listeners of
 * others off, or is there first, takes nothing from us.
 *
 * @returns a function that ends it, and makes the emitter what it was
 */
export function tapEvents(emitter: EventEmitter, tap: Tap): () => void {
  const own = Object.hasOwn(emitter, 'emit') ? emitter.emit : undefined
  let isOn = true

  function emit(event: string | symbol, ...args: unknown[]): boolean {
    if (isOn && tap(event, args)) return true
    // What is inherited is looked up anew: a tracer may have wrapped it meanwhile.
    return Reflect.apply(own ?? Object.getPrototypeOf(emitter).emit, emitter, [event, ...args])
  }

  emitter.emit = emit
  return () => {
    isOn = false
    // Who has wrapped it since then goes on calling us, and everything passes.
    if (emitter.emit !== emit) return
    if (own) emitter.emit = own
    else Reflect.deleteProperty(emitter, 'emit')
  }
}
