// Good logins while forged tokens, pending sockets and slow heads come in at once, from many addresses of this machine.
// `node bench/attack.mjs [--quick]`, after `npm run build`. Prints latencies and their ratio to the quiet server; the
// control row is bare ws under the same attack, which authenticates nobody.
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { SignJWT } from 'jose'
import { WebSocket } from 'ws'

const quick = process.argv.includes('--quick')
const seconds = quick ? 3 : 10
const rate = 500
const addresses = 200
const secret = randomBytes(32).toString('hex')
const file = (name) => new URL(name, import.meta.url).pathname

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
  return { kind, quiet, attacked, sent }
}

const rows = []
for (const kind of ['sallyport', 'bare ws']) rows.push(await measure(kind))
const { sent } = rows[0]
console.log(
  `Attack: ${rate} connections a second from ${addresses} addresses: ${JSON.stringify(sent)} in ${seconds + 1} s.`,
)
console.table(
  rows.map(({ kind, quiet, attacked }) => ({
    server: kind,
    logins: attacked.latencies.length,
    failed: quiet.failed + attacked.failed,
    'quiet p50 ms': +quantile(quiet.latencies, 0.5).toFixed(2),
    'quiet p99 ms': +quantile(quiet.latencies, 0.99).toFixed(2),
    'attacked p50 ms': +quantile(attacked.latencies, 0.5).toFixed(2),
    'attacked p99 ms': +quantile(attacked.latencies, 0.99).toFixed(2),
    'p99 ratio': +(quantile(attacked.latencies, 0.99) / quantile(quiet.latencies, 0.99)).toFixed(2),
  })),
)
process.exitCode = rows[0].attacked.failed > 0 ? 1 : 0
