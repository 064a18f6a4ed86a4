/** The part of the Web Locks API (`navigator.locks`) that is used. */
export interface LocksLike {
  request<T>(
    name: string,
    options: { ifAvailable?: boolean; signal?: AbortSignal },
    callback: (lock: unknown) => Promise<T>,
  ): Promise<T>
}

const queues = new Map<string, Promise<void>>()

/** The Web Locks API within one tab, as far as {@link LocksLike} goes. */
export const localLocks: LocksLike = {
  async request(name, { ifAvailable, signal }, callback) {
    const before = queues.get(name)
    if (before && ifAvailable) return callback(null)
    const turn = (async () => {
      await before
      if (signal?.aborted) throw new Error('Given up')
      return callback({ name })
    })()
    const after = turn
      .catch(() => {})
      .then(() => {
        if (queues.get(name) === after) queues.delete(name)
      })
    queues.set(name, after)
    return turn
  },
}
