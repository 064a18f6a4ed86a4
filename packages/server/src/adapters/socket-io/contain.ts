import type { Emitter } from './internals.js'

/** Calls the listeners of an event, and `fail` with what one of them throws, at once or later. */
export function callListeners(emitter: Emitter, [event, ...args]: readonly [string, ...unknown[]], fail: Fail): void {
  for (const listener of emitter.rawListeners(event)) {
    try {
      const done: unknown = Reflect.apply(listener, emitter, args)
      if (done instanceof Promise) done.catch(fail)
    } catch (error) {
      fail(error)
      return
    }
  }
}

type Fail = (error: unknown) => void

/** Lets what listeners throw of what the library tells end no process. `failOf` says whom it fails. */
export function contain(emitter: Emitter, failOf: (event: string, args: readonly unknown[]) => Fail | undefined): void {
  const { emitReserved } = emitter
  emitter.emitReserved = (event, ...args) => {
    const fail = failOf(event, args)
    if (!fail) return emitReserved.call(emitter, event, ...args)
    callListeners(emitter, [event, ...args], fail)
    return true
  }
}
