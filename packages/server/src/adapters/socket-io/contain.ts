import type { Emitter, Hook } from './internals.js'

/** Told what a function of the application throws, at once or later. */
export type Fail = (error: unknown) => void

/** Calls functions of the application, up to one that throws at once; `false` where one does. */
export function callAll(hooks: readonly Hook[], self: unknown, args: readonly unknown[], fail: Fail): boolean {
  // A listener may take itself off meanwhile.
  return [...hooks].every((hook) => {
    try {
      const done: unknown = Reflect.apply(hook, self, args)
      if (done instanceof Promise) done.catch(fail)
      return true
    } catch (error) {
      fail(error)
      return false
    }
  })
}

/** A function of the application that nobody else hears fail. */
export const watched = (hook: Hook, fail: Fail): Hook =>
  function (this: unknown, ...args: unknown[]) {
    callAll([hook], this, args, fail)
  }

/** Lets what listeners throw of what the library tells end no process. `failOf` says whom it fails. */
export function contain(emitter: Emitter, failOf: (event: string, args: readonly unknown[]) => Fail | undefined): void {
  const { emitReserved } = emitter
  emitter.emitReserved = (event, ...args) => {
    const fail = failOf(event, args)
    if (!fail) return emitReserved.call(emitter, event, ...args)
    callAll(emitter.rawListeners(event), emitter, args, fail)
    return true
  }
}
