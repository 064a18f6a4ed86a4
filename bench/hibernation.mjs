// What connections cost that sleep in a Durable Object, with 1,000 and with 5,000 in one object, in workerd: the bytes beside a
// socket, an alarm, a message that wakes the object, a revocation of one user; and from the slopes a million, on paper.
// `node bench/hibernation.mjs`, after `npm run build`. It takes two minutes.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { prepareRuntimes } from '../scripts/bootstrap.mjs'
import { serveWorker } from '../scripts/workerd.mjs'

const sizes = [1_000, 5_000]
// The runtime lets an object sleep after ten seconds.
const asleep = () => new Promise((resolve) => setTimeout(resolve, 13_000))

await prepareRuntimes('WORKERD_PATH')
const rows = []
for (const size of sizes) rows.push(await measure(size))
print(rows)

async function measure(size) {
  const source = { stdin: { contents: worker(), resolveDir: fileURLToPath(new URL('.', import.meta.url)) } }
  const workerd = await serveWorker({ ...source, conditions: ['module-sync'] }, { ROOM: 'Room', STORE: 'Store' })
  const { port, pid } = workerd
  const get = async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).json()
  const kib = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1])
  /** Milliseconds of the processor that the runtime has used. */
  const used = () => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  }
  const cost = async (act) => {
    const [since, before] = [performance.now(), used()]
    await act()
    return { ms: performance.now() - since, cpu: used() - before }
  }
  const open = async (user, seconds = 3_600) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/room`, {
      headers: { Authorization: `Bearer ${user}.${seconds}` },
    })
    await once(socket, 'open')
    return socket
  }
  await (await open('warm')).close()
  const empty = kib('VmRSS')
  const sockets = []
  const accepting = await cost(async () => {
    while (sockets.length < size) {
      const batch = Array.from({ length: 50 }, (_, i) => open(`u${sockets.length + i}`))
      sockets.push(...(await Promise.all(batch)))
    }
  })
  const awake = kib('VmRSS')
  await asleep()
  const woken = await cost(async () => {
    sockets[0].send('hello')
    await once(sockets[0], 'message')
  })
  const { bytes } = await get('/bytes')
  await asleep()
  const revoked = await cost(async () => {
    // The frame: the runtime keeps the TCP connection until the object sleeps again.
    const closed = once(sockets[1]._receiver, 'conclude')
    void get('/revoke?user=u1')
    await closed
  })
  const soon = await open('soon', 16)
  await asleep()
  const before = used()
  const end = once(soon._receiver, 'conclude')
  await end
  const alarm = used() - before
  for (const socket of sockets) socket.terminate()
  await workerd.stop()
  return { size, bytes, accept: accepting.cpu / size, memory: (awake - empty) / size, woken, revoked, alarm }
}

function print(rows) {
  const [few, many] = rows
  const per = (value) => (((value(many) - value(few)) / (many.size - few.size)) * 1_000).toFixed(1)
  const line = (name, value, digits = 1) => `| ${name} | ${rows.map((row) => value(row).toFixed(digits)).join(' | ')} |`
  console.log(
    [
      `| | ${rows.map(({ size }) => `${size.toLocaleString('en')} sockets`).join(' | ')} |`,
      '|---|---|---|',
      line('bytes beside a socket', ({ bytes }) => bytes, 0),
      line('accept, ms of the processor each', ({ accept }) => accept, 2),
      line('memory of the runtime, KiB each', ({ memory }) => memory),
      line('a message that wakes the object, ms of the processor until its answer', ({ woken }) => woken.cpu, 0),
      line('revocation of one user who sleeps, ms of the processor', ({ revoked }) => revoked.cpu, 0),
      line('the same, ms until its Close', ({ revoked }) => revoked.ms, 0),
      line('an alarm that ends one connection, ms of the processor', ({ alarm }) => alarm, 0),
      '',
      `Slopes, in ms of the processor for each 1,000 sockets of an object: wake ${per(({ woken }) => woken.cpu)}, ` +
        `revocation ${per(({ revoked }) => revoked.cpu)}, alarm ${per(({ alarm }) => alarm)}.`,
    ].join('\n'),
  )
}

function worker() {
  return `
import { DurableObject, env } from 'cloudflare:workers'
import { createGuard, header } from '@sallyport/server'
import { guardedObject, objectStore, storeObject } from '@sallyport/server/durable-objects'
const verify = (token, { now }) => {
  const [id, seconds] = token.split('.')
  return { identity: { id, issuer: 'https://issuer.example' }, issuedAt: now, expiresAt: now + seconds * 1000, session: 's-' + id, token: 't-' + id }
}
const guardOf = (store) => createGuard({ store, life: { leeway: 0 }, accept: [header({ verify })] })
export class Store extends storeObject(DurableObject) {}
export class Room extends guardedObject(DurableObject, { binding: 'ROOM', store: 'STORE', path: '/room', guard: guardOf }) {
  onMessage(socket, data) { socket.send(data) }
  onRequest() {
    const bytes = this.ctx.getWebSockets().slice(0, 100).map((socket) => JSON.stringify(socket.deserializeAttachment())?.length ?? 0)
    return Response.json({ bytes: Math.max(...bytes) })
  }
}
const guard = guardOf(objectStore(env.STORE))
export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/revoke') return Response.json(await guard.revoke({ user: searchParams.get('user') }))
    return env.ROOM.getByName('main').fetch(request)
  },
}`
}
