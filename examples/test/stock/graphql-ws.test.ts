import { type Client, type ClientOptions, createClient } from 'graphql-ws'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import type { Login } from '../visitor.js'
import { signIn } from '../visitor.js'
import { logOut, routeOf, running, withTicket } from './stock.js'

const example = running('graphql-ws')

/** A client of graphql-ws, which asks for a ticket at each attempt. */
function open(login: Login, options: Partial<ClientOptions> = {}): Client {
  const url = () => withTicket(example(), login)
  const client = createClient({ webSocketImpl: WebSocket, url, lazy: false, onNonLazyError: () => {}, ...options })
  onTestFinished(() => client.dispose())
  return client
}

/** How a connection of it was closed, and how often it has tried. */
function watch() {
  let tries = 0
  let onClosed: (event: { code: number }) => void = () => {}
  const closed = new Promise<{ code: number }>((resolve) => {
    onClosed = resolve
  })
  const on: ClientOptions['on'] = { connecting: () => ++tries, closed: (event) => onClosed(event as { code: number }) }
  return { on, closed, tries: () => tries }
}

it('comes in, asks who it is, says something and subscribes', async () => {
  const client = open(await signIn(example()))
  const me = client.iterate({ query: '{ me { userId method } }' })
  expect((await me.next()).value).toEqual({ data: { me: { userId: 'ada', method: 'ticket' } } })
  const echo = client.iterate({ query: 'mutation { echo(data: "hello") }' })
  expect((await echo.next()).value).toEqual({ data: { echo: 'hello' } })
  const stream = client.iterate({ query: 'subscription { me { userId } }' })
  expect((await stream.next()).value).toEqual({ data: { me: { userId: 'ada' } } })
})

it('is refused with a ticket that is none, and comes in with a good one', async () => {
  const login = await signIn(example())
  let url = `${routeOf(example())}?ticket=none`
  const client = open(login, { url: () => url, retryAttempts: 0, lazy: true })
  await expect(client.iterate({ query: '{ me { userId } }' }).next()).rejects.toMatchObject({
    message: expect.stringContaining('401'),
  })
  url = await withTicket(example(), login)
  expect((await client.iterate({ query: '{ me { userId } }' }).next()).value).toMatchObject({ data: { me: {} } })
})

it('brings its token in connectionParams, and stops for good when it is none', async () => {
  const { token } = await signIn(example())
  const url = routeOf(example())
  const good = open(await signIn(example()), { url, connectionParams: { token } })
  const me = good.iterate({ query: '{ me { userId method } }' })
  expect((await me.next()).value).toEqual({ data: { me: { userId: 'ada', method: 'message' } } })
  const { on, closed, tries } = watch()
  open(await signIn(example()), { url, connectionParams: { token: 'none' }, on })
  expect(await closed).toMatchObject({ code: 4401 })
  expect(tries()).toBe(1)
})

it('F03 stops for good when its session is logged out', async () => {
  const login = await signIn(example())
  let stopped: (error: unknown) => void = () => {}
  const end = new Promise((resolve) => {
    stopped = resolve
  })
  const { on, closed, tries } = watch()
  const client = open(login, { on, onNonLazyError: (error) => stopped(error) })
  await client.iterate({ query: '{ me { userId } }' }).next()
  await logOut(example(), login)
  expect(await closed).toMatchObject({ code: 4401, reason: 'Revoked' })
  expect(await end).toMatchObject({ code: 4401 })
  expect(tries()).toBe(1)
})

it('F01 comes again with a new ticket when its credential has expired', async () => {
  const [short, long] = [await signIn(example(), 'ada', 2), await signIn(example())]
  const logins = [short, long]
  const { on, closed } = watch()
  const client = open(long, { on, url: () => withTicket(example(), logins.shift() ?? long) })
  await client.iterate({ query: '{ me { userId } }' }).next()
  expect(await closed).toMatchObject({ code: 4403, reason: 'Credential expired' })
  expect((await client.iterate({ query: '{ me { userId } }' }).next()).value).toMatchObject({ data: { me: {} } })
})
