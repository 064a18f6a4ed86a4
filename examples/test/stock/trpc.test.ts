import { createTRPCClient, createWSClient, wsLink } from '@trpc/client'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import type { Router } from '../../trpc/router.js'
import { signIn } from '../visitor.js'
import { logOut, routeOf, running, withTicket } from './stock.js'

const example = running('trpc')

/** A client of tRPC, and how its connections were closed. */
function open(url: () => string | Promise<string>, token?: () => string) {
  const closes: (number | undefined)[] = []
  const waiting: (() => void)[] = []
  const socket = createWSClient({
    url,
    WebSocket: WebSocket as never,
    retryDelayMs: () => 0,
    ...(token && { connectionParams: () => ({ token: token() }) }),
    onClose(cause) {
      closes.push(cause?.code)
      for (const resolve of waiting.splice(0)) resolve()
    },
  })
  onTestFinished(() => socket.close())
  const closed = () => new Promise<void>((resolve) => waiting.push(resolve))
  return { client: createTRPCClient<Router>({ links: [wsLink({ client: socket })] }), socket, closes, closed }
}

it('comes in, asks who it is and says something', async () => {
  const login = await signIn(example())
  const { client } = open(() => withTicket(example(), login))
  expect(await client.me.query()).toEqual({ userId: 'ada', method: 'ticket' })
  expect(await client.echo.mutate('hello')).toBe('hello')
})

it('is refused with a ticket that is none, and its calls wait until it has a good one', async () => {
  const login = await signIn(example())
  let tries = 0
  const { client } = open(async () =>
    ++tries < 3 ? `${routeOf(example())}?ticket=none` : withTicket(example(), login),
  )
  expect(await client.me.query()).toEqual({ userId: 'ada', method: 'ticket' })
  expect(tries).toBe(3)
})

it('brings its token in connectionParams; a call fails with one that is none, and not with a good one', async () => {
  let token = 'none'
  const { client, closes, closed } = open(
    () => routeOf(example()),
    () => token,
  )
  const end = closed()
  await expect(client.me.query()).rejects.toThrow()
  await end
  expect(closes[0]).toBe(4001)
  token = (await signIn(example())).token
  await expect.poll(() => client.me.query().catch(String)).toEqual({ userId: 'ada', method: 'message' })
})

it('F03 is told when its session is logged out, and gets no ticket any more', async () => {
  const login = await signIn(example())
  const { client, closes, closed, socket } = open(() => withTicket(example(), login))
  await client.me.query()
  const end = closed()
  await logOut(example(), login)
  await end
  expect(closes).toEqual([4010])
  await socket.close()
})

it('F01 comes again with a new ticket when its credential has expired', async () => {
  const [short, long] = [await signIn(example(), 'ada', 2), await signIn(example())]
  const logins = [short, long]
  const { client, closes, closed } = open(() => withTicket(example(), logins.shift() ?? long))
  await client.me.query()
  await closed()
  expect(closes).toEqual([4019])
  expect(await client.me.query()).toEqual({ userId: 'ada', method: 'ticket' })
})
