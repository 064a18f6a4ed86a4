// How the clients of a node come back after its restart, drawn at random by the rules of the client: full jitter over a
// bound that doubles, and 5 seconds at least after a Close 1012. `node bench/scale/simulation.mjs` prints it for a million.
import { fileURLToPath } from 'node:url'

const baseMs = 500
const capMs = 30_000
const restartSpreadMs = 5_000
// What a node that drains answers, and a client outside of browsers can read.
const retryAfterMs = 1_000
const drainSteps = 20

/**
 * The times at which clients are in again, in milliseconds from the beginning of the drain. `perSecond`: how many a server
 * lets in within a second at most; the others wait for their turn.
 */
export function comeBack({
  clients,
  drainMs,
  downMs,
  servers = 1,
  perSecond = Number.POSITIVE_INFINITY,
  random = Math.random,
}) {
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
      if (at < drainMs) at += retryAfterMs
      bound = Math.min(capMs, baseMs * 2 ** attempt)
    }
    times.push(at)
  }
  times.sort((a, b) => a - b)
  const gap = 1_000 / perSecond
  for (let i = 1; i < times.length; i++) times[i] = Math.max(times[i], times[i - 1] + gap)
  return times
}

/** The most of such times within a second. */
export function peakOf(times) {
  const sorted = [...times].sort((a, b) => a - b)
  let most = 0
  for (let from = 0, to = 0; to < sorted.length; to++) {
    while (sorted[to] - sorted[from] >= 1_000) from += 1
    most = Math.max(most, to - from + 1)
  }
  return most
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const nodes = 67
  const clients = Math.round(1_000_000 / nodes)
  console.log(`${nodes} nodes with ${clients} connections each; the most that come back within a second:`)
  for (const drainMs of [0, 10_000, 30_000, 60_000]) {
    const peak = peakOf(comeBack({ clients, drainMs, downMs: 1_000, servers: nodes }))
    console.log(
      `one node drained within ${drainMs / 1000} s: ${peak}, ${(peak / (nodes - 1)).toFixed(1)} for each other node`,
    )
  }
  for (const drainMs of [0, 60_000]) {
    const peak = peakOf(comeBack({ clients: 1_000_000, drainMs, downMs: 1_000 }))
    console.log(
      `all nodes at once, drained within ${drainMs / 1000} s: ${peak}, ${Math.round(peak / nodes)} for each node`,
    )
  }
}
