import type { EventEmitter } from 'node:events'

/** Sees an event before its listeners do. `true`: it has taken the event, and they do not hear of it. */
export type Tap = (event: string | symbol, args: readonly unknown[]) => boolean

/** The taps of an emitter. */
interface Tapped {
  /** The last that came sees each event first. */
  taps: readonly Tap[]
  /** Makes the emitter what it was. */
  readonly restore: () => void
}

/** By the `emit` that we have put in the place of another. */
const tapped = new WeakMap<EventEmitter['emit'], Tapped>()

/**
 * Sees all events of an emitter, whoever listens to them, before or after us: a library that takes the listeners of
 * others off, or is there first, takes nothing from us. The last tap sees each event first.
 *
 * @returns a function that ends it, and makes the emitter what it was
 */
export function tapEvents(emitter: EventEmitter, tap: Tap): () => void {
  const ours = tapped.get(emitter.emit) ?? replaceEmit(emitter)
  ours.taps = [tap, ...ours.taps]
  return () => {
    ours.taps = ours.taps.filter((other) => other !== tap)
    if (ours.taps.length === 0) ours.restore()
  }
}

function replaceEmit(emitter: EventEmitter): Tapped {
  const own = Object.hasOwn(emitter, 'emit') ? emitter.emit : undefined
  const ours: Tapped = { taps: [], restore }

  function emit(event: string | symbol, ...args: unknown[]): boolean {
    for (const tap of ours.taps) if (tap(event, args)) return true
    // What is inherited is looked up anew: a tracer may have wrapped it meanwhile.
    return Reflect.apply(own ?? Object.getPrototypeOf(emitter).emit, emitter, [event, ...args])
  }

  function restore(): void {
    // Who has wrapped it since then goes on calling us, and everything passes.
    if (emitter.emit !== emit) return
    if (own) emitter.emit = own
    else Reflect.deleteProperty(emitter, 'emit')
  }

  emitter.emit = emit
  tapped.set(emit, ours)
  return ours
}
