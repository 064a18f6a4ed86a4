/** A promise, to be settled from outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T | PromiseLike<T>) => void
  readonly reject: (error: unknown) => void
}

export function deferred<T = void>(): Deferred<T> {
  let ends: Pick<Deferred<T>, 'resolve' | 'reject'> | undefined
  const promise = new Promise<T>((resolve, reject) => {
    ends = { resolve, reject }
  })
  return { promise, ...ends! }
}

/** Runs as many microtasks as `turns` says, so that a test can place something at every point of an asynchronous path. */
export async function microtasks(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await undefined
}

/** Lets the event loop run everything that is ready. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
