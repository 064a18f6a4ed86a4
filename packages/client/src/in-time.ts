import type { Clock } from './clock.js'

/**
 * What `work` resolves with. Rejects when that takes longer than `ms` milliseconds or `outer` is aborted; either aborts
 * the signal that `work` gets.
 */
export function inTime<T>(
  clock: Clock,
  ms: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  return new Promise<T>((resolve, reject) => {
    const cancelTimer = clock.after(ms, giveUp)
    outer.addEventListener('abort', giveUp)

    function giveUp(): void {
      settle()
      controller.abort()
      reject(new Error('No answer in time'))
    }

    function settle(): void {
      cancelTimer()
      outer.removeEventListener('abort', giveUp)
    }

    if (outer.aborted) giveUp()
    work(controller.signal).finally(settle).then(resolve, reject)
  })
}
