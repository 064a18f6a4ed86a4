// Tickets over Redis, with no socket around them: what the guard takes, beside the commands that it cannot do without.
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createGuard, header, ticket } from '@sallyport/server'
import { redisStore } from '@sallyport/server/redis'
import { Redis } from 'ioredis'

const path = '/ws'
const address = '127.0.0.1'
const callers = 200

export default async function start({ redis: socket }) {
  const client = new Redis(socket, { enableAutoPipelining: true })
  await once(client, 'ready')
  const guard = createGuard({
    accept: [ticket(), header({ verify: (id) => ({ identity: { id } }) })],
    store: redisStore({ client, secret: randomBytes(32) }),
  })
  await guard.ready()
  const handshake = [
    ['host', 'bench'],
    ['connection', 'Upgrade'],
    ['upgrade', 'websocket'],
    ['sec-websocket-version', '13'],
    ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ]
  const value = JSON.stringify({ identity: { id: 'user-1' }, hash: 'x'.repeat(43), binding: { path } })
  const sha256 = (text) => createHash('sha256').update(text).digest('base64url')

  return {
    /** Seconds for so many tickets, each issued and then redeemed by a handshake. */
    pairs: ({ count }) =>
      measured(count, async (caller) => {
        const headers = [
          ['host', 'bench'],
          ['authorization', `Bearer user-${caller}`],
        ]
        const issued = await guard.issueTicket({ method: 'POST', target: `${path}/ticket`, headers, address }, path)
        const target = `${path}?ticket=${issued.ticket}`
        const verdict = await guard.decide({ method: 'GET', target, headers: handshake, address })
        if (verdict.type !== 'accept') throw new Error(`a fresh ticket is refused: ${verdict.reason}`)
      }),

    /** The same for the client alone: a value under the hash of a secret, taken again. */
    commands: ({ count }) =>
      measured(count, async () => {
        const secret = randomBytes(32).toString('base64url')
        await client.set(`raw:${sha256(secret)}`, value, 'PX', 30_000, 'NX')
        if ((await client.getdel(`raw:${sha256(secret)}`)) !== value) throw new Error('Redis has lost a value')
      }),
  }
}

/** Acts so many times, for some callers at once. */
async function measured(count, act) {
  const start = performance.now()
  let left = count
  const call = async (_, caller) => {
    while (left > 0) {
      left -= 1
      await act(caller)
    }
  }
  await Promise.all(Array.from({ length: callers }, call))
  return (performance.now() - start) / 1000
}
