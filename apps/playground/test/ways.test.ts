import { encodeBearer } from '@sallyport/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Playground } from '../src/playground.js'
import { send, signIn, start } from './support/playground.js'
import { type Client, enter, knock } from './support/socket.js'

let playground: Playground

beforeAll(async () => {
  playground = await start()
})
afterAll(() => playground.close())

const ws = () => `${playground.url}/ws`

async function ticketFor(token: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const authorization = `Bearer ${token}`
  const answer = await send(`${ws()}/ticket`, { method: 'POST', headers: { authorization, ...headers } })
  return JSON.parse(answer.body).ticket
}

async function byFirstMessage(token: string): Promise<Client> {
  const client = await enter(ws())
  client.send(JSON.stringify({ type: 'auth', token }))
  expect(await client.next()).toMatchObject({ type: 'auth_ok', userId: 'ada' })
  return client
}

type Login = Awaited<ReturnType<typeof signIn>>
const ways: Record<string, (login: Login) => Promise<Client>> = {
  ticket: async ({ token }) => enter(`${ws()}?ticket=${await ticketFor(token)}`),
  query: async ({ cookie }) => enter(`${ws()}?token=${(await signIn(playground, 'ada', 30, { cookie })).token}`),
  header: ({ token }) => enter(ws(), { headers: { authorization: `Bearer ${token}` } }),
  cookie: ({ cookie }) => enter(ws(), { headers: { cookie }, origin: playground.url }),
  subprotocol: ({ token }) => enter(ws(), {}, ['sallyport-playground', encodeBearer(token)]),
  message: ({ token }) => byFirstMessage(token),
}

describe.each(Object.entries(ways))('by %s', (method, come) => {
  it('welcomes, echoes text as JSON and binary as it is', async () => {
    const client = await come(await signIn(playground))
    expect(await client.next()).toEqual({ type: 'welcome', userId: 'ada', method })
    client.send('hello')
    expect(await client.next()).toEqual({ type: 'echo', data: 'hello' })
    client.send(Uint8Array.of(0, 255))
    expect(await client.next()).toEqual(Buffer.of(0, 255))
    client.close()
  })

  it('ends with the session, and with that one only', async () => {
    const [login, other] = [await signIn(playground), await signIn(playground)]
    const [client, stays] = [await come(login), await come(other)]
    await send(`${playground.url}/logout`, { method: 'POST', headers: { cookie: login.cookie } })
    expect(await client.closed).toEqual({ code: 4010, reason: 'Revoked' })
    await stays.next()
    stays.send('still here')
    expect(await stays.next()).toEqual({ type: 'echo', data: 'still here' })
    stays.close()
  })
})

describe('the guard of the playground', () => {
  it('C06 refuses a ticket whose session has ended', async () => {
    const { token, cookie } = await signIn(playground)
    const ticket = await ticketFor(token)
    await send(`${playground.url}/logout`, { method: 'POST', headers: { cookie } })
    expect(await knock(`${ws()}?ticket=${ticket}`)).toEqual({ status: 401 })
  })

  it('never selects the subprotocol that carries the token', async () => {
    const { token } = await signIn(playground)
    const client = await enter(ws(), {}, [encodeBearer(token), 'sallyport-playground'])
    expect(client.protocol).toBe('sallyport-playground')
    client.close()
  })

  it.each(['127.0.0.1', 'localhost', '[::1]'])('lets its page in by the name %s', async (name) => {
    const { cookie } = await signIn(playground)
    const origin = `http://${name}:${new URL(playground.url).port}`
    const client = await enter(ws(), { headers: { cookie }, origin })
    client.close()
  })

  it.each(['https://evil.example', 'null', 'http://127.0.0.1'])(
    'D01 refuses a page of the origin %s',
    async (origin) => {
      const { cookie } = await signIn(playground)
      expect(await knock(ws(), { headers: { cookie }, origin })).toEqual({ status: 403 })
    },
  )

  it('refuses an hour-long token in the URL', async () => {
    expect(await knock(`${ws()}?token=${(await signIn(playground)).token}`)).toEqual({ status: 401 })
  })
})
