import { ticket, webSocketClass } from '@sallyport/client'
import type { StompConfig } from '@stomp/stompjs'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { deferred } from '../../../packages/server/test/support/deferred.js'
import { hear, openStomp, protocols } from '../../../packages/server/test/support/stomp-client.js'
import { signIn } from '../visitor.js'
import { logOut, routeOf, running } from './stock.js'

const example = running('stomp')

const open = (token: () => string, more: StompConfig = {}) => openStomp(routeOf(example()), token, more)

it('brings its token in CONNECT, hears who it is, and what it says itself', async () => {
  const { token } = await signIn(example())
  const { client, connected } = open(() => token)
  await connected
  expect(JSON.parse(await hear(client, '/user.welcome'))).toEqual({ userId: 'ada', method: 'message' })
  const echo = hear(client, '/user.echo')
  client.publish({ destination: '/user.say', body: 'hello' })
  expect(await echo).toBe('hello')
})

it('gets no destination of another user, whatever either of them is called', async () => {
  const logins = [await signIn(example(), 'eve'), await signIn(example(), '**')]
  const [eve, other] = logins.map(({ token }) => open(() => token))
  await Promise.all([eve!.connected, other!.connected])
  const errors: string[] = []
  const refused = deferred()
  other!.client.onStompError = ({ headers }) => {
    errors.push(headers.message ?? '')
    refused.resolve()
  }
  other!.client.subscribe(`/users.${Buffer.from('eve').toString('base64url')}.echo`, () => {})
  await refused.promise
  expect(errors).toEqual(['SUBSCRIBE ERROR'])
  const heard: string[] = []
  other!.client.subscribe('/user.**', ({ body }) => heard.push(body))
  const [mine, theirs] = [hear(other!.client, '/user.echo'), hear(eve!.client, '/user.echo')]
  eve!.client.publish({ destination: '/user.say', body: 'for eve' })
  expect(await theirs).toBe('for eve')
  other!.client.publish({ destination: '/user.say', body: 'for me' })
  expect(await mine).toBe('for me')
  expect(heard).not.toContain('for eve')
})

it('is refused with a token that is none, and stops by a line of the application; a good one comes in', async () => {
  const { stopped, errors, closed } = open(() => 'none')
  await stopped
  expect(errors).toEqual(['Authentication failed'])
  expect(closed).toEqual([4001])
  const { token } = await signIn(example())
  await open(() => token).connected
})

it('gets a class that asks for a ticket each', async () => {
  const login = await signIn(example())
  const byTicket = webSocketClass({
    WebSocket,
    reconnect: false,
    credential: ticket(`${example().origin}/ws/ticket`, { token: () => login.token }),
  })
  const { client, connected } = open(() => '', {
    beforeConnect() {},
    webSocketFactory: () => new byTicket(routeOf(example()), protocols),
  })
  await connected
  expect(JSON.parse(await hear(client, '/user.welcome'))).toEqual({ userId: 'ada', method: 'ticket' })
})

it('F03 stops by the same line when its session is logged out', async () => {
  const login = await signIn(example())
  const { connected, stopped, closed } = open(() => login.token)
  await connected
  await logOut(example(), login)
  await stopped
  expect(closed).toEqual([4010])
})

it('F01 comes again with a new token when its credential has expired', async () => {
  const [short, long] = [await signIn(example(), 'ada', 2), await signIn(example())]
  const tokens = [short.token, long.token]
  const again = deferred()
  const { connected, closed, client } = open(() => tokens.shift() ?? long.token)
  await connected
  client.onConnect = () => again.resolve()
  await again.promise
  expect(closed).toEqual([4019])
})

it('outlives a frame that breaks the protocol of WebSockets', async () => {
  const { token } = await signIn(example())
  const socket = new WebSocket(routeOf(example()), protocols, { headers: { Authorization: `Bearer ${token}` } })
  await new Promise((resolve) => socket.once('open', resolve))
  const gone = new Promise((resolve) => socket.once('close', resolve))
  // A frame with a reserved opcode (RFC 6455 section 5.2).
  ;(socket as unknown as { readonly _socket: { write(bytes: Buffer): void } })._socket.write(
    Buffer.from([0x83, 0x80, 0, 0, 0, 0]),
  )
  await gone
  await open(() => token).connected
})
