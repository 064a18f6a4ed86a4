// Decisions with no socket around them: what the guard itself does about a handshake, whatever server stands before it.
import { createHash } from 'node:crypto'
import { cookie, createGuard, createRoutes, header, session, ticket } from '@sallyport/server'
import { jwt } from '@sallyport/server/jwt'

const path = '/ws'
const address = '127.0.0.1'
const origin = 'https://app.example.com'
const handshakeHeaders = [
  ['host', 'bench'],
  ['connection', 'Upgrade'],
  ['upgrade', 'websocket'],
  ['sec-websocket-version', '13'],
  ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
]
const cookieName = '__Host-session'

export default function start({ keys }) {
  const sessions = new Map()
  const verify = jwt({ secret: keys.HS256.secret, algorithms: ['HS256'], issuer: 'bench', audience: 'bench' })
  const guard = createGuard({
    origins: [origin],
    accept: [ticket(), header({ verify }), cookie({ name: cookieName, verify: session((id) => sessions.get(id)) })],
  })
  const routes = createRoutes(guard, { path })
  const handshake = (target, ...more) => ({ method: 'GET', target, headers: [...handshakeHeaders, ...more], address })
  const prepare = {
    header: ({ tokens }) => tokens.map((token) => handshake(path, ['authorization', `Bearer ${token}`])),
    cookie: ({ count }) =>
      Array.from({ length: count }, (_, i) => {
        const id = `session-${i % 1_000}`
        sessions.set(id, { identity: { id: `user-${i % 1_000}` }, expiresAt: Date.now() + 3_600_000 })
        return handshake(path, ['cookie', `${cookieName}=${id}`], ['origin', origin])
      }),
    // One after the other: only so many calls of the routes may be undecided.
    async ticket({ tokens }) {
      const handshakes = []
      for (const token of tokens) handshakes.push(await redemption(token))
      return handshakes
    },
  }

  async function redemption(token) {
    const request = new Request(`http://bench${path}/ticket`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    })
    const { ticket } = await (await routes.fetch(request)).json()
    return handshake(`${path}?ticket=${ticket}`)
  }

  return {
    /** Seconds of CPU for a decision about each of so many handshakes, which are made beforehand. */
    async decisions({ way, ...given }) {
      const handshakes = await prepare[way](given)
      return measured(async () => {
        for (const one of handshakes) {
          const verdict = await guard.decide(one)
          if (verdict.type !== 'accept') throw new Error(`a good ${way} is refused: ${verdict.reason}`)
        }
      })
    },

    /** The same for one hash and a look into a map: less than any guard that keeps no credential can do. */
    lookups({ count }) {
      const hash = (text) => createHash('sha256').update(text).digest('base64url')
      const text = keys.HS256.secret.repeat(4)
      const known = new Map([[hash(text), true]])
      return measured(async () => {
        for (let i = 0; i < count; i += 1) if (!known.has(hash(text))) throw new Error('two hashes of the same differ')
      })
    },
  }
}

async function measured(act) {
  const before = process.cpuUsage()
  await act()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}
