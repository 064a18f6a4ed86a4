import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A cable between two ends, which can be cut. */
export interface Cable {
  /** The near end. */
  readonly port: number
  /** Breaks every connection, and lets nobody through. */
  cut(): void
  /** Lets nothing more through, and says so to nobody. */
  silence(): void
  /** Lets nothing more through on the connections that there are, and says so to nobody; new ones are good. */
  strand(): void
  /** Breaks a connection when something comes back on it: what was asked is done, and nobody hears of it. */
  dropReplies(): void
  /** Everything is as before. */
  heal(): void
}

/** Lays a cable to a port of this machine, for one test. */
export async function cableOfTest(target: number): Promise<Cable> {
  const pairs = new Set<readonly [near: Socket, far: Socket]>()
  const stranded = new WeakSet<Socket>()
  let state: 'open' | 'cut' | 'silent' | 'lossy' = 'open'
  const server = createServer((near) => {
    near.on('error', () => {})
    if (state === 'cut') {
      near.destroy()
      return
    }
    const far = connect(target, '127.0.0.1')
    far.on('error', () => {})
    const pair = [near, far] as const
    pairs.add(pair)
    near.on('data', (data) => {
      if (state !== 'silent' && !stranded.has(near)) far.write(data)
    })
    far.on('data', (data) => {
      if (state === 'lossy') far.destroy()
      else if (state !== 'silent' && !stranded.has(near)) near.write(data)
    })
    near.once('close', () => far.destroy())
    far.once('close', () => {
      pairs.delete(pair)
      near.destroy()
    })
  })
  const breakAll = () => {
    for (const [near] of pairs) near.destroy()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    breakAll()
  })
  return {
    port: (server.address() as { port: number }).port,
    cut() {
      state = 'cut'
      breakAll()
    },
    silence() {
      state = 'silent'
    },
    strand() {
      for (const [near] of pairs) stranded.add(near)
    },
    dropReplies() {
      state = 'lossy'
    },
    heal() {
      // What was swallowed is missing: these connections are of no use any more.
      if (state === 'silent') breakAll()
      state = 'open'
    },
  }
}
