import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Playground } from '../src/playground.js'
import { type Row, type Snapshot, watch } from './support/live.js'
import { send, signIn, start } from './support/playground.js'
import { type Client, enter } from './support/socket.js'

let playground: Playground

beforeAll(async () => {
  playground = await start()
})
afterAll(() => playground.close())

let users = 0
const newUser = () => `user-${++users}`

const comeIn = (token: string): Promise<Client> =>
  enter(`${playground.url}/ws`, { headers: { authorization: `Bearer ${token}` } })

const rowOf = (user: string, { connections }: Snapshot): Row | undefined =>
  connections.find((connection) => connection.user === user)
const has = (user: string) => (snapshot: Snapshot) => rowOf(user, snapshot) !== undefined

describe('GET /connections', () => {
  it('tells who is inside, at once and on every change, and no credential', async () => {
    const user = newUser()
    const watcher = await watch(playground.url)
    const { token, cookie } = await signIn(playground, user)
    const client = await comeIn(token)

    const entered = await watcher.until(has(user))
    expect(rowOf(user, entered)).toEqual({
      row: expect.any(Number),
      user,
      method: 'header',
      since: expect.any(Number),
      expiresAt: expect.any(Number),
    })
    expect(Math.abs(entered.now - Date.now())).toBeLessThan(5_000)
    for (const secret of [token, cookie.slice('session='.length)]) expect(JSON.stringify(entered)).not.toContain(secret)

    const late = await watch(playground.url)
    expect(rowOf(user, await late.until(() => true))).toEqual(rowOf(user, entered))

    client.close()
    expect((await watcher.until((snapshot) => !has(user)(snapshot))).ended).toBeUndefined()
    watcher.close()
    late.close()
  })

  it('is a stream of events', async () => {
    const { headers, status } = await send(`${playground.url}/connections`, { method: 'HEAD' })
    expect([status, headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8'])
    expect(headers['cache-control']).toBe('no-store')
  })

  it.each([{ origin: 'https://evil.example' }, { host: 'evil.example' }])('is not for others: %o', async (headers) => {
    expect((await send(`${playground.url}/connections`, { headers })).status).toBe(403)
  })

  it('tells the ids of a user’s own connections, and of nobody else’s', async () => {
    const [mine, other] = [newUser(), newUser()]
    const [me, them] = [await signIn(playground, mine), await signIn(playground, other)]
    const watcher = await watch(playground.url, { cookie: me.cookie })
    const clients = [await comeIn(them.token), await comeIn(me.token)]
    const both = await watcher.until((snapshot) => has(mine)(snapshot) && has(other)(snapshot))
    expect(rowOf(mine, both)?.id).toMatch(/^[\w-]{22}$/)
    expect(rowOf(other, both)?.id).toBeUndefined()
    for (const client of clients) client.close()
    watcher.close()
  })

  it('tells no ids any more when the session has ended', async () => {
    const user = newUser()
    const [first, second] = [await signIn(playground, user), await signIn(playground, user)]
    const [ends, stays] = [
      await watch(playground.url, { cookie: first.cookie }),
      await watch(playground.url, { cookie: second.cookie }),
    ]
    const client = await comeIn(second.token)
    for (const watcher of [ends, stays]) expect(rowOf(user, await watcher.until(has(user)))?.id).toBeDefined()
    await send(`${playground.url}/logout`, { method: 'POST', headers: { cookie: first.cookie } })
    const newcomer = await comeIn(second.token)
    const isNews = ({ connections }: Snapshot) => connections.filter((row) => row.user === user).length === 2
    expect(rowOf(user, await ends.until(isNews))?.id).toBeUndefined()
    expect(rowOf(user, await stays.until(isNews))?.id).toBeDefined()
    for (const open of [client, newcomer, ends, stays]) open.close()
  })

  it('tells which connection the guard has ended, and by what code', async () => {
    const user = newUser()
    const watcher = await watch(playground.url)
    const { token, cookie } = await signIn(playground, user)
    await comeIn(token)
    const row = rowOf(user, await watcher.until(has(user)))?.row
    await send(`${playground.url}/logout`, { method: 'POST', headers: { cookie } })
    const after = await watcher.until(({ ended }) => ended?.row === row)
    expect(after.ended).toEqual({ row, close: 4010 })
    expect(rowOf(user, after)).toBeUndefined()
    watcher.close()
  })

  it('keeps the order of their coming, whoever is renewed', async () => {
    const user = newUser()
    const { token, cookie } = await signIn(playground, user)
    const watcher = await watch(playground.url, { cookie })
    const ours = ({ connections }: Snapshot) => connections.filter((row) => row.user === user)
    const clients = [await comeIn(token), await comeIn(token)]
    const before = ours(await watcher.until((snapshot) => ours(snapshot).length === 2))
    const body = JSON.stringify({ connection: before[0]?.id })
    const fresh = await signIn(playground, user, 7200, { cookie })
    const renewal = { method: 'POST', headers: { authorization: `Bearer ${fresh.token}` } }
    expect((await send(`${playground.url}/ws/renew`, renewal, body)).status).toBe(200)
    const isRenewed = (row: Row) => (row.expiresAt ?? 0) > (before[0]?.expiresAt ?? Number.POSITIVE_INFINITY)
    const after = ours(await watcher.until((snapshot) => ours(snapshot).some(isRenewed)))
    expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id))
    expect(after.map(isRenewed)).toEqual([true, false])
    for (const open of [...clients, watcher]) open.close()
  })
})

describe('the twenty-first connection of a user', () => {
  it('takes the place of the first', async () => {
    const { token } = await signIn(playground, newUser())
    const first = await comeIn(token)
    const others = [await comeIn(token)]
    while (others.length < 19) others.push(await comeIn(token))
    first.send('still here')
    expect(await first.next()).toMatchObject({ type: 'welcome' })
    expect(await first.next()).toEqual({ type: 'echo', data: 'still here' })
    others.push(await comeIn(token))
    expect(await first.closed).toEqual({ code: 4009, reason: 'Replaced' })
    for (const client of others) client.close()
  })
})
