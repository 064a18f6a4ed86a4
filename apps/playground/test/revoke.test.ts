import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Playground } from '../src/playground.js'
import { type HttpAnswer, post, send, signIn, start } from './support/playground.js'
import { type Client, enter } from './support/socket.js'

let playground: Playground
const at = (path: string) => playground.url + path

beforeAll(async () => {
  playground = await start()
})
afterAll(() => playground.close())

let users = 0
const newUser = () => `user-${++users}`

/** Comes in by first message, which is answered with the connection's id. */
async function comeIn(token: string): Promise<{ client: Client; id: string }> {
  const client = await enter(at('/ws'))
  client.send(JSON.stringify({ type: 'auth', token }))
  const { connection: id } = (await client.next()) as { connection: string }
  expect(await client.next()).toMatchObject({ type: 'welcome' })
  return { client, id }
}

async function expectInside(client: Client): Promise<void> {
  client.send('still here')
  expect(await client.next()).toEqual({ type: 'echo', data: 'still here' })
}

const revoked = { code: 4010, reason: 'Revoked' }

function expectError({ status, headers, body }: HttpAnswer, expected: number): void {
  expect([status, headers['content-type']]).toEqual([expected, 'application/json; charset=utf-8'])
  expect(JSON.parse(body)).toEqual({ error: expect.stringMatching(/\w/) })
}

const ticketStatus = async (headers: Readonly<Record<string, string>>) =>
  (await send(at('/ws/ticket'), { method: 'POST', headers })).status
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** What a good request of a signed-in page has, and what each of these lacks. */
const strangers = [
  ['C07 without an origin', { origin: undefined }],
  ['C07 from a page of another origin', { origin: 'https://evil.example' }],
  ['C07 from a sandboxed page', { origin: 'null' }],
  ['A06 by a rebound name', { host: 'evil.example' }],
  ['without a session', { cookie: undefined }],
  ['with the cookie of no session', { cookie: `session=${'x'.repeat(43)}` }],
] as const

/** Those headers that have a value. */
const present = (headers: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter((pair): pair is [string, string] => pair[1] !== undefined))

describe('POST /revoke', () => {
  const revoke = (connection: unknown, headers: Readonly<Record<string, string | undefined>>) =>
    post(at('/revoke'), { connection }, present(headers))

  it('F16 closes the connection that it names, and no other of its user', async () => {
    const { token, cookie } = await signIn(playground, newUser())
    const [one, other] = [await comeIn(token), await comeIn(token)]
    const answer = await revoke(one.id, { cookie, origin: playground.url })
    expect([answer.status, answer.body, answer.headers['cache-control']]).toEqual([204, '', 'no-store'])
    expect(await one.client.closed).toEqual(revoked)
    await expectInside(other.client)
    expect(await ticketStatus(bearer(token))).toBe(201)
    other.client.close()
  })

  it('works from any session of its user', async () => {
    const user = newUser()
    const [first, second] = [await signIn(playground, user), await signIn(playground, user)]
    const { client, id } = await comeIn(first.token)
    expect((await revoke(id, { cookie: second.cookie, origin: playground.url })).status).toBe(204)
    expect(await client.closed).toEqual(revoked)
  })

  it('answers about the connection of somebody else as about none', async () => {
    const [owner, other] = [await signIn(playground, newUser()), await signIn(playground, newUser())]
    const { client, id } = await comeIn(owner.token)
    const asOther = { cookie: other.cookie, origin: playground.url }
    const theirs = await revoke(id, asOther)
    expectError(theirs, 404)
    expect(theirs.body).toBe((await revoke('no such connection', asOther)).body)
    await expectInside(client)
    expect((await revoke(id, { ...asOther, cookie: owner.cookie })).status).toBe(204)
    expect(await client.closed).toEqual(revoked)
  })

  it('finds a connection once', async () => {
    const { token, cookie } = await signIn(playground, newUser())
    const { id } = await comeIn(token)
    const headers = { cookie, origin: playground.url }
    expect((await revoke(id, headers)).status).toBe(204)
    expectError(await revoke(id, headers), 404)
  })

  it.each(strangers)('refuses a request %s', async (_name, change) => {
    const { token, cookie } = await signIn(playground, newUser())
    const { client, id } = await comeIn(token)
    const good = { cookie, origin: playground.url }
    expectError(await revoke(id, { ...good, ...change }), 403)
    await expectInside(client)
    expect((await revoke(id, good)).status).toBe(204)
  })

  it('refuses the cookie of a session that has ended', async () => {
    const user = newUser()
    const [first, second] = [await signIn(playground, user), await signIn(playground, user)]
    const { client, id } = await comeIn(second.token)
    await send(at('/logout'), { method: 'POST', headers: { cookie: first.cookie } })
    expectError(await revoke(id, { cookie: first.cookie, origin: playground.url }), 403)
    await expectInside(client)
    expect((await revoke(id, { cookie: second.cookie, origin: playground.url })).status).toBe(204)
  })

  it.each([{}, { connection: '' }, { connection: 7 }, { connection: null }, 'id', null, []])(
    'refuses the body %o and says what to send',
    async (body) => {
      const { cookie } = await signIn(playground, newUser())
      const answer = await post(at('/revoke'), body, { cookie, origin: playground.url })
      expectError(answer, 400)
      expect(answer.body).toContain('id of a connection')
    },
  )

  it('C07 refuses what a form could send, and a body over 1 KiB', async () => {
    const { cookie } = await signIn(playground, newUser())
    const headers = { cookie, origin: playground.url, 'content-type': 'text/plain' }
    expectError(await send(at('/revoke'), { method: 'POST', headers }, '{"connection":"x"}'), 415)
    expectError(await revoke('x'.repeat(1024), { cookie, origin: playground.url }), 413)
  })
})

describe('POST /logout-everywhere', () => {
  const logoutEverywhere = (headers: Readonly<Record<string, string | undefined>>) =>
    send(at('/logout-everywhere'), { method: 'POST', headers: present(headers) })

  it('F02 ends all sessions of the user, with their connections, and nobody else’s', async () => {
    const user = newUser()
    const logins = [await signIn(playground, user), await signIn(playground, user)]
    const other = await signIn(playground, newUser())
    const clients = [await comeIn(logins[0]!.token), await comeIn(logins[1]!.token)]
    const byCookie = await enter(at('/ws'), { headers: { cookie: logins[1]!.cookie }, origin: playground.url })
    const stays = await comeIn(other.token)

    const answer = await logoutEverywhere({ cookie: logins[0]!.cookie, origin: playground.url })
    expect([answer.status, answer.headers['cache-control']]).toEqual([204, 'no-store'])
    expect(answer.headers['set-cookie']).toEqual(['session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax'])
    for (const { client } of clients) expect(await client.closed).toEqual(revoked)
    expect(await byCookie.closed).toEqual(revoked)
    await expectInside(stays.client)
    stays.client.close()

    for (const { token, cookie } of logins) {
      expect(await ticketStatus(bearer(token))).toBe(401)
      expect(await ticketStatus({ cookie, origin: playground.url })).toBe(401)
    }
    expect(await ticketStatus(bearer(other.token))).toBe(201)
    expect(await ticketStatus({ cookie: other.cookie, origin: playground.url })).toBe(201)
  })

  it('F06 does not touch a login that follows at once', async () => {
    const user = newUser()
    const before = await signIn(playground, user)
    expect((await logoutEverywhere({ cookie: before.cookie, origin: playground.url })).status).toBe(204)
    // What was issued in the very millisecond of the revocation counts as before it.
    const revokedAt = Date.now()
    while (Date.now() === revokedAt);
    const after = await signIn(playground, user)
    expect(await ticketStatus(bearer(before.token))).toBe(401)
    expect(await ticketStatus(bearer(after.token))).toBe(201)
  })

  it.each(strangers)('refuses a request %s', async (_name, change) => {
    const { token, cookie } = await signIn(playground, newUser())
    const { client } = await comeIn(token)
    const good = { cookie, origin: playground.url }
    expectError(await logoutEverywhere({ ...good, ...change }), 403)
    await expectInside(client)
    expect((await logoutEverywhere(good)).status).toBe(204)
    expect(await client.closed).toEqual(revoked)
  })
})

describe('POST /ws/renew', () => {
  const renew = (connection: string, headers: Readonly<Record<string, string>>) =>
    post(at('/ws/renew'), { connection }, headers)

  it('lets a connection live as long as a newer token', async () => {
    const user = newUser()
    const { token, cookie } = await signIn(playground, user, 60)
    const { client, id } = await comeIn(token)
    const longer = await signIn(playground, user, 3600, { cookie })
    const answer = await renew(id, bearer(longer.token))
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body).expiresIn).toBeGreaterThan(3500)
    client.close()
  })

  it('takes the session cookie, from its own page', async () => {
    const { token, cookie } = await signIn(playground, newUser())
    const { client, id } = await comeIn(token)
    expect((await renew(id, { cookie, origin: 'https://evil.example' })).status).toBe(403)
    expect((await renew(id, { cookie })).status).toBe(403)
    expect((await renew(id, { cookie, origin: playground.url })).status).toBe(200)
    client.close()
  })

  it('F07 is not for somebody else', async () => {
    const [owner, other] = [await signIn(playground, newUser()), await signIn(playground, newUser())]
    const { client, id } = await comeIn(owner.token)
    expect((await renew(id, bearer(other.token))).status).toBe(403)
    await expectInside(client)
    expect((await renew(id, bearer(owner.token))).status).toBe(200)
    client.close()
  })
})
