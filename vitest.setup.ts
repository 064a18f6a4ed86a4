import { afterAll, expect } from 'vitest'

// Files share the globals of their worker: what one of them leaves replaced, a later one stumbles over.
const names = [
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'Date', 'process', 'crypto'],
  ...['fetch', 'WebSocket', 'navigator', 'document', 'location'],
]
const found = () => [
  ...names.map((name): unknown => Reflect.get(globalThis, name)),
  ...[Date.now, performance.now, Math.random],
]

declare global {
  /** What there was before the first file of this worker. */
  var pristine: readonly unknown[] | undefined
}
globalThis.pristine ??= found()

afterAll(() => {
  const replaced = found().flatMap((value, i) => (globalThis.pristine?.[i] === value ? [] : [names[i] ?? 'a clock']))
  expect(replaced, 'what this file, or one before it in this worker, has not put back').toEqual([])
})
