import { outcomeOf } from '@sallyport/client/socket-io'
import { io, type Socket } from 'socket.io-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Login, signIn, ticketFor } from '../visitor.js'
import { logOut, running } from './stock.js'

type Options = NonNullable<Parameters<typeof io>[1]>

/** The next event of that name, or why there is none. */
function next(socket: Socket, event: string): Promise<unknown> {
  return new Promise((resolve) => {
    socket.once(event, resolve)
    if (event !== 'connect_error') socket.once('connect_error', (error) => resolve(outcomeOf(error)))
  })
}

describe.each(['socket-io', 'nest-socket-io'])('the example %s', (name) => {
  const example = running(name)

  /** A client of Socket.IO, and the first thing that it is told. */
  function open(options: Options) {
    const socket: Socket = io(example().origin, { path: '/ws', forceNew: true, reconnectionDelay: 1, ...options })
    onTestFinished(() => {
      socket.disconnect()
    })
    return { socket, first: next(socket, 'welcome') }
  }

  const ways: Record<string, (login: Login) => Options> = {
    ticket: (login) => ({ auth: (give) => void ticketFor(example(), login).then((ticket) => give({ ticket })) }),
    message: ({ token }) => ({ auth: { token } }),
    header: ({ token }) => ({ extraHeaders: { Authorization: `Bearer ${token}` } }),
    cookie: ({ cookie }) => ({ extraHeaders: { Cookie: cookie, Origin: example().origin } }),
  }

  describe.each([['polling'], ['websocket'], ['polling', 'websocket']].map((transports) => ({ transports })))(
    'over $transports',
    ({ transports }) => {
      it.each(Object.entries(ways))('lets in by %s, knows who it is, and answers', async (method, way) => {
        const { socket, first } = open({ transports, ...way(await signIn(example())) })
        expect(await first).toEqual({ userId: 'ada', method })
        const echo = next(socket, 'echo')
        socket.emit('message', 'hello')
        expect(await echo).toBe('hello')
      })

      it.each(Object.entries(ways))('F03 ends what came by %s when its session is logged out', async (_, way) => {
        const [gone, stays] = [await signIn(example()), await signIn(example())]
        const { socket, first } = open({ transports, ...way(gone) })
        const other = open({ transports, ...way(stays) })
        await Promise.all([first, other.first])
        const disconnected = next(socket, 'disconnect')
        await logOut(example(), gone)
        expect(await disconnected).toBe('io server disconnect')
        expect(socket.active).toBe(false)
        const echo = next(other.socket, 'echo')
        other.socket.emit('message', 'still here')
        expect(await echo).toBe('still here')
      })

      it('A01 A18 asks for a credential, and takes no bad one for none', async () => {
        const { token, cookie } = await signIn(example())
        expect(await open({ transports }).first).toMatchObject({ kind: 'unauthenticated', code: 4001 })
        const bad = { transports, auth: { token: `${token.slice(0, -4)}AAAA` } }
        expect(await open(bad).first).toMatchObject({ kind: 'unauthenticated', code: 4001 })
        const extraHeaders = { Cookie: cookie, Origin: example().origin }
        expect(await open({ ...bad, extraHeaders }).first).toMatchObject({ kind: 'unauthenticated', code: 4001 })
      })

      it('A17 refuses two credentials', async () => {
        const login = await signIn(example())
        const extraHeaders = { Authorization: `Bearer ${login.token}` }
        const { first } = open({ transports, auth: { token: login.token }, extraHeaders })
        expect(await first).toMatchObject({ kind: 'misconfigured', code: 1008 })
      })

      it('C01 opens one connection with a ticket', async () => {
        const ticket = await ticketFor(example(), await signIn(example()))
        expect(await open({ transports, auth: { ticket } }).first).toEqual({ userId: 'ada', method: 'ticket' })
        expect(await open({ transports, auth: { ticket } }).first).toMatchObject({ kind: 'unauthenticated' })
      })

      it('D01 refuses a foreign page, whatever it brings', async () => {
        const { token, cookie } = await signIn(example())
        const extraHeaders = { Cookie: cookie, Origin: 'https://evil.example' }
        const { socket, first } = open({ transports, auth: { token }, extraHeaders, reconnection: false })
        const polls = transports[0] === 'polling'
        expect(await first).toMatchObject(polls ? { kind: 'forbidden', status: 403 } : { kind: 'network' })
        expect(socket.connected).toBe(false)
      })

      it('F01 comes again with a new token when its credential has expired', async () => {
        const logins = [await signIn(example(), 'ada', 2), await signIn(example())]
        const { socket, first } = open({ transports, auth: (give) => give({ token: logins.shift()?.token }) })
        await first
        const [again, end] = [next(socket, 'welcome'), next(socket, 'sallyport:end')]
        expect(outcomeOf(await end)).toMatchObject({ kind: 'expired', code: 4019 })
        expect(await again).toEqual({ userId: 'ada', method: 'message' })
      })

      it('F05 is renewed by an event, and over HTTP', async () => {
        const [short, long] = [await signIn(example(), 'ada', 5), await signIn(example())]
        const { socket, first } = open({ transports, auth: { token: short.token } })
        await first
        const { expiresIn } = await socket.emitWithAck('sallyport:renew', { token: long.token })
        expect(expiresIn).toBeGreaterThan(3_500)
        const headers = { Authorization: `Bearer ${long.token}` }
        expect((await fetch(`${example().origin}/ws/renew`, { method: 'POST', headers })).status).toBe(200)
      })
    },
  )
})
