// How the clients of a node come back after its restart, drawn at random by the rules of the client: full jitter over a
// bound that doubles, and 5 seconds at least after a Close 1012. `node bench/scale/simulation.mjs` prints it for a million.
import { fileURLToPath } from 'node:url'

const baseMs = 500
const capMs = 30_000
const restartSpreadMs = 5_000
const drainSteps = 20

/** The times at which clients dial again with success, in milliseconds from the beginning of the drain. */
export function comeBack({ clients, drainMs, downMs, servers = 1, random = Math.random }) {
  const times = []
  // With other nodes behind a balancer, who is sent away is taken at once; else not before the node is back.
  const upAt = servers > 1 ? 0 : drainMs + downMs
  for (let i = 0; i < clients; i++) {
    const step = Math.floor((i / clients) * drainSteps)
    let at = (step / drainSteps) * drainMs
    let bound = Math.max(baseMs, restartSpreadMs)
    for (let attempt = 1; ; attempt++) {
      at += random() * bound
      if (at >= upAt) break
      bound = Math.min(capMs, baseMs * 2 ** attempt)
    }
    times.push(at)
  }
  return times
}

/** The most that come back within a second. */
export function expectedPeak(options) {
  const seconds = new Map()
  for (const time of comeBack(options)) {
    const second = Math.floor(time / 1_000)
    seconds.set(second, (seconds.get(second) ?? 0) + 1)
  }
  return Math.max(...seconds.values())
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const nodes = 67
  const clients = Math.round(1_000_000 / nodes)
  console.log(`${nodes} nodes with ${clients} connections each; the most that come back within a second:`)
  for (const drainMs of [0, 10_000, 30_000, 60_000]) {
    const peak = expectedPeak({ clients, drainMs, downMs: 1_000, servers: nodes })
    console.log(
      `one node drained within ${drainMs / 1000} s: ${peak}, ${(peak / (nodes - 1)).toFixed(1)} for each other node`,
    )
  }
  for (const drainMs of [0, 60_000]) {
    const peak = expectedPeak({ clients: 1_000_000, drainMs, downMs: 1_000 })
    console.log(
      `all nodes at once, drained within ${drainMs / 1000} s: ${peak}, ${Math.round(peak / nodes)} for each node`,
    )
  }
}
