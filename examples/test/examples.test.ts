import { encodeBearer } from '@sallyport/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rawOpen } from '../../packages/server/test/support/raw.js'
import { examples } from '../../scripts/examples.mjs'
import { type Example, startExample } from './example.js'
import { call, hear, type Knock, knock, type Login, say, signIn, ticketFor } from './visitor.js'

/** How somebody who is signed in comes in. */
const ways: Record<string, (example: Example, login: Login) => Promise<Knock>> = {
  ticket: async (example, login) => knock(example, `?ticket=${await ticketFor(example, login)}`),
  query: async (example) => knock(example, `?token=${(await signIn(example, 'ada', 60)).token}`),
  header: (example, { token }) => knock(example, '', { Authorization: `Bearer ${token}` }),
  cookie: (example, { cookie }) => knock(example, '', { Cookie: cookie, Origin: example.origin }),
  subprotocol: (example, { token }) =>
    knock(example, '', { 'Sec-WebSocket-Protocol': `${encodeBearer(token)}, sallyport-playground` }),
  message: async (example, { token }) => {
    const knocked = await knock(example)
    say(knocked.client, JSON.stringify({ type: 'auth', token }))
    return knocked
  },
}

const welcome = (method: string) => ({ type: 'welcome', userId: 'ada', method })
/** How many frames of ours come before the welcome. */
const framesBy = (method: string): number => (method === 'message' ? 1 : 0)

describe.concurrent.each(examples)('the example $name ($description)', ({ name }) => {
  let example: Example
  beforeAll(async () => {
    example = await startExample(name)
  }, 60_000)
  afterAll(() => example.stop())

  it.each(Object.entries(ways))('lets in by %s, welcomes and echoes', async (method, come) => {
    const { client, status } = await come(example, await signIn(example))
    expect(status).toBe(101)
    const before = framesBy(method)
    expect((await hear(client, before + 1))[before]).toEqual(welcome(method))
    say(client, 'hello')
    expect((await hear(client, before + 2))[before + 1]).toEqual({ type: 'echo', data: 'hello' })
    client.destroy()
  })

  it.each(Object.keys(ways).filter((method) => method !== 'query'))(
    'F03 ends what came by %s when its session is logged out, and only that',
    async (method) => {
      const [login, other] = [await signIn(example), await signIn(example)]
      const [gone, stays] = [await ways[method]!(example, login), await ways[method]!(example, other)]
      const before = framesBy(method)
      await Promise.all([gone, stays].map(({ client }) => hear(client, before + 1)))
      await call(example, '/logout', { Cookie: login.cookie })
      expect(await gone.client.closeFrame()).toEqual({ code: 4010, reason: 'Revoked' })
      say(gone.client, 'too late')
      say(stays.client, 'still here')
      expect((await hear(stays.client, before + 2))[before + 1]).toEqual({ type: 'echo', data: 'still here' })
      await gone.client.gone()
      expect(gone.client.texts()).toHaveLength(before + 1)
      stays.client.destroy()
    },
  )

  it('A01 A18 asks for a credential, and takes no bad one for none', async () => {
    const { cookie, token } = await signIn(example)
    const bad = { Authorization: `Bearer ${token.slice(0, -4)}AAAA` }
    expect((await knock(example, '', bad)).status).toBe(401)
    expect((await knock(example, '', { ...bad, Cookie: cookie, Origin: example.origin })).client.texts()).toEqual([])
    const silent = await knock(example)
    say(silent.client, 'let me in')
    await silent.client.ping()
    expect(silent.client.texts()).toEqual([])
    silent.client.destroy()
  })

  it('A17 refuses two credentials', async () => {
    const login = await signIn(example)
    const query = `?ticket=${await ticketFor(example, login)}`
    expect((await knock(example, query, { Authorization: `Bearer ${login.token}` })).status).toBe(400)
  })

  it('A19 never echoes the credential', async () => {
    const { client, protocol } = await ways.subprotocol!(example, await signIn(example))
    expect(protocol).toBe('sallyport-playground')
    client.destroy()
  })

  it('C01 opens one connection with a ticket', async () => {
    const query = `?ticket=${await ticketFor(example, await signIn(example))}`
    const first = await knock(example, query)
    expect(first.status).toBe(101)
    expect((await knock(example, query)).status).toBe(401)
    first.client.destroy()
  })

  it('D01 refuses a foreign page, whatever it brings', async () => {
    const login = await signIn(example)
    const query = `?ticket=${await ticketFor(example, login)}`
    const Origin = 'https://evil.example'
    expect((await knock(example, '', { Cookie: login.cookie, Origin })).status).toBe(403)
    expect((await knock(example, query, { Origin })).status).toBe(403)
    expect((await call(example, '/ws/ticket', { Cookie: login.cookie, Origin })).status).toBe(403)
  })

  it('F01 ends a connection with its credential', async () => {
    const { client } = await ways.header!(example, await signIn(example, 'ada', 1))
    await hear(client, 1)
    expect(await client.closeFrame()).toEqual({ code: 4019, reason: 'Credential expired' })
    await client.gone()
  })

  it('F05 renews a connection over HTTP', async () => {
    const [short, long] = [await signIn(example, 'ada', 2), await signIn(example)]
    const { client } = await ways.message!(example, short)
    const [{ connection }] = (await hear(client, 2)) as [{ connection: string }]
    const renewed = await call(example, '/ws/renew', { Authorization: `Bearer ${long.token}` }, { connection })
    expect(renewed.status).toBe(200)
    client.destroy()
  })

  it('answers what it does not serve with 404, and lives', async () => {
    const { client, head } = await rawOpen(example.port, '/x')
    expect(head.status).toBe(404)
    client.destroy()
    expect((await ways.header!(example, await signIn(example))).status).toBe(101)
  })
})
