import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RawClient, type RawFrame, rawFrame, rawOpen } from '../../packages/server/test/support/raw.js'
import { examples, isApplication } from '../../scripts/examples.mjs'
import { type Example, startExample } from './example.js'
import { call, knock, say, signIn, ticketFor } from './visitor.js'
import { protocolOf, ways } from './ways.js'

/** Whether the application said it: a text or binary frame (RFC 6455 section 5.6). */
const isData = ({ opcode }: RawFrame) => opcode === 1 || opcode === 2

// Socket.IO opens no bare WebSocket: test/stock has the same through its own client.
const overWebSocket = examples
  .filter(({ name }) => !name.endsWith('socket-io') && !isApplication(name))
  // The short form of npm test brings no other runtime.
  .filter(({ runtime }) => process.env.SALLYPORT_RUNTIMES !== 'node' || runtime === 'node')

describe.concurrent.each(overWebSocket)('the example $name ($description)', ({ name }) => {
  let example: Example
  beforeAll(async () => {
    example = await startExample(name)
  }, 60_000)
  afterAll(() => example.stop())

  /** Waits until a connection is gone whose peer was sent a Close, and answers it only where it has to. */
  const leave = (client: RawClient) => {
    if (!example.endsSilent) client.write(rawFrame(Buffer.from([0x03, 0xe8]), { opcode: 8 }))
    return client.gone()
  }

  it.each(Object.entries(ways))('lets in by %s, knows who it is, and answers', async (method, come) => {
    const user = `ada by ${method}`
    const { client, status } = await come(example, await signIn(example, user))
    expect(status).toBe(101)
    expect(await example.words.welcome(client, user)).toEqual({ userId: user, method })
    expect(await example.words.echo(client, 'hello')).toBe('hello')
    client.destroy()
  })

  it.each(Object.keys(ways).filter((method) => method !== 'query'))(
    'F03 ends what came by %s when its session is logged out, and only that',
    async (method) => {
      const { words } = example
      // A user of its own: some stacks say what one hears to all connections of a user.
      const user = `eve by ${method}`
      const [login, other] = [await signIn(example, user), await signIn(example, user)]
      const [gone, stays] = [await ways[method]!(example, login), await ways[method]!(example, other)]
      for (const { client } of [gone, stays]) await words.welcome(client, user)
      await call(example, '/logout', { Cookie: login.cookie })
      expect(await gone.client.closeFrame()).toEqual({ code: words.closes.revoked, reason: 'Revoked' })
      const heard = gone.client.frames().length
      say(gone.client, 'too late')
      expect(await words.echo(stays.client, `after ${method}`)).toBe(`after ${method}`)
      await leave(gone.client)
      expect(gone.client.frames()).toHaveLength(heard)
      stays.client.destroy()
    },
  )

  it('A01 A18 asks for a credential, and takes no bad one for none', async () => {
    const { cookie, token } = await signIn(example)
    const bad = { Authorization: `Bearer ${token.slice(0, -4)}AAAA` }
    expect((await knock(example, '', bad)).status).toBe(401)
    expect(
      (await knock(example, '', { ...bad, Cookie: cookie, Origin: example.origin })).client.frames().filter(isData),
    ).toEqual([])
    const silent = await knock(example)
    say(silent.client, 'let me in')
    await silent.client.ping()
    expect(silent.client.frames().filter(isData)).toEqual([])
    silent.client.destroy()
  })

  it('refuses a login that is none, and lives', async () => {
    for (const body of ['{user:ada}', 'null', '{"user":7}', 'x'.repeat(10_000)]) {
      const { status } = await fetch(`${example.origin}/login`, { method: 'POST', body })
      expect(status).toBe(400)
    }
    await signIn(example)
  })

  it('A17 refuses two credentials', async () => {
    const login = await signIn(example)
    const query = `?ticket=${await ticketFor(example, login)}`
    expect((await knock(example, query, { Authorization: `Bearer ${login.token}` })).status).toBe(400)
  })

  it('A19 never echoes the credential', async () => {
    const { client, protocol } = await ways.subprotocol!(example, await signIn(example))
    expect(protocol).toBe(protocolOf(example))
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
    const { client } = await ways.header!(example, await signIn(example, 'ada', 2))
    await example.words.welcome(client, 'ada')
    expect(await client.closeFrame()).toEqual({ code: example.words.closes.expired, reason: 'Credential expired' })
    // Deno ends nobody who is silent.
    say(client, 'too late')
    await leave(client)
  })

  it('F05 renews a connection over HTTP', async () => {
    const short = await signIn(example, 'ada', 2)
    const { client } = await ways.message!(example, short)
    const long = await signIn(example, 'ada', 3600, short.cookie)
    const renewed = await call(example, '/ws/renew', { Authorization: `Bearer ${long.token}` })
    expect(renewed.status).toBe(200)
    expect(renewed.body).toContain('"expiresIn":3')
    client.destroy()
  })

  it('answers what it does not serve with 404, and lives', async () => {
    const { client, head } = await rawOpen(example.port, '/x')
    expect(head.status).toBe(404)
    client.destroy()
    expect((await ways.header!(example, await signIn(example))).status).toBe(101)
  })
})
