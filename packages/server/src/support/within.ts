import type { Clock } from './clock.js'

/** Waits `ms` milliseconds at most for a promise; then it rejects with what `onLate` answers, whatever comes after. */
export function within<T>(
  promise: Promise<T>,
  ms: number,
  clock: Pick<Clock, 'after'>,
  onLate: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(onLate()))
    const settle =
      <V>(how: (value: V) => void) =>
      (value: V) => {
        cancel()
        how(value)
      }
    // What is no `Promise` may answer what has to be waited for again.
    Promise.resolve(promise).then(settle<T>(resolve), settle<unknown>(reject))
  })
}
