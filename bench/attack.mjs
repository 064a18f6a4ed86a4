// Good logins while forged tokens, pending sockets and slow heads come in at once, from many addresses of this machine.
// `node bench/attack.mjs [--quick]`, after `npm run build`. Prints latencies and their ratio to the quiet server; the
// control row is bare ws under the same attack, which authenticates nobody. Five rounds in turn, so that what else the
// machine does meets both: each figure is the median of the rounds, with the least and the greatest. `--quick`: one round.
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { SignJWT } from 'jose'
import { WebSocket } from 'ws'

const quick = process.argv.includes('--quick')
const seconds = quick ? 3 : 10
const rounds = quick ? 1 : 5
const kinds = ['sallyport', 'bare ws']
const rate = 500
const addresses = 200
const secret = randomBytes(32).toString('hex')
const file = (name) => fileURLToPath(new URL(name, import.meta.url))

const token = (user) =>
  new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('bench')
    .setAudience('bench')
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(new TextEncoder().encode(secret))

/** Logs in one after the other for some seconds; the latencies in milliseconds, from the dial to the first message. */
async function logIn(port, until) {
  const latencies = []
  let failed = 0
  for (let i = 0; Date.now() < until; i += 1) {
    // A token that was never seen, so that each login costs its signature.
    const headers = { Authorization: `Bearer ${await token(`user-${i}`)}` }
    const start = performance.now()
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers, perMessageDeflate: false })
    try {
      await Promise.race([
        once(socket, 'message'),
        once(socket, 'close').then(() => Promise.reject(new Error('closed'))),
      ])
      latencies.push(performance.now() - start)
    } catch {
      failed += 1
    }
    socket.terminate()
  }
  return { latencies: latencies.sort((a, b) => a - b), failed }
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN

async function measure(kind) {
  const server = fork(file('attack-server.mjs'), [kind, secret])
  const [port] = await once(server, 'message')
  await logIn(port, Date.now() + 1_000)
  const quiet = await logIn(port, Date.now() + seconds * 1000)
  const load = fork(file('attack-load.mjs'), [port, seconds + 1, rate, addresses].map(String))
  const attacked = await logIn(port, Date.now() + seconds * 1000)
  const [sent] = await once(load, 'message')
  server.kill()
  const p99 = [quiet, attacked].map(({ latencies }) => quantile(latencies, 0.99))
  return {
    kind,
    sent,
    logins: attacked.latencies.length,
    failed: quiet.failed + attacked.failed,
    'quiet p50 ms': quantile(quiet.latencies, 0.5),
    'quiet p99 ms': p99[0],
    'attacked p50 ms': quantile(attacked.latencies, 0.5),
    'attacked p99 ms': p99[1],
    'p99 ratio': p99[1] / p99[0],
  }
}

/** The median of some figures and, of several, the least and the greatest. */
function summary(values, digits = 2) {
  const sorted = values.toSorted((a, b) => a - b)
  const [least, median, greatest] = [0, 0.5, 1].map((q) => quantile(sorted, q).toFixed(digits))
  return sorted.length === 1 ? median : `${median} (${least}–${greatest})`
}

const results = []
for (let round = 0; round < rounds; round += 1) for (const kind of kinds) results.push(await measure(kind))

console.log(`Attack: ${rate} connections a second from ${addresses} addresses for ${seconds + 1} s. Sent to the guard:`)
for (const { kind, sent } of results) if (kind === kinds[0]) console.log(JSON.stringify(sent))
console.table(
  kinds.map((kind) => {
    const ofKind = results.filter((result) => result.kind === kind)
    const of = (name, digits) =>
      summary(
        ofKind.map((result) => result[name]),
        digits,
      )
    const names = Object.keys(ofKind[0]).filter((name) => / (?:ms|ratio)$/.test(name))
    return {
      server: kind,
      logins: of('logins', 0),
      failed: ofKind.reduce((sum, { failed }) => sum + failed, 0),
      ...Object.fromEntries(names.map((name) => [name, of(name)])),
    }
  }),
)
process.exitCode = results.some(({ kind, failed }) => kind === kinds[0] && failed > 0) ? 1 : 0
