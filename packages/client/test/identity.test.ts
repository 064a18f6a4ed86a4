import { firstMessage, renewal, ticket } from '@sallyport/client'
import { encodeFrame } from '@sallyport/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FakeSocket, settled, start } from './fakes.js'

const authOk = (userId: string) => encodeFrame({ type: 'auth_ok', userId, connection: 'c' })

/** Who a connection was authenticated as, from the first frame on its wire, as whom it was renewed, and what it was sent. */
function wire(socket: FakeSocket): { user: string; renewals: string[]; messages: string[] } {
  const sent = socket.sent.map(String)
  const isAuth = (text: string) => text.startsWith('{"type":"auth"')
  const [user = '', ...renewals] = sent.filter(isAuth).map((text) => (JSON.parse(text) as { token: string }).token)
  return { user, renewals, messages: sent.filter((text) => !isAuth(text)) }
}

describe('K08 another user logs in', () => {
  it('K08 empties the queue at reset(), asks anew at once, and ends the connection', async () => {
    const { socket, open, current, sockets, events, reasons } = start()
    await open()
    current().receive('for A')
    socket.reset()
    socket.send('of B')
    await settled()
    expect(sockets[0]?.closedWith).toEqual({ code: undefined, reason: undefined })
    expect(events.last('close')).toMatchObject({ code: 1005, wasClean: true })
    sockets[0]?.receive('late, for A')
    await open()
    expect(current().sent).toEqual(['of B'])
    expect(reasons).toEqual(['first', 'first'])
    expect(events.types()).toEqual(['authenticated', 'open', 'message', 'close', 'authenticated', 'open'])
  })

  it('K08 drops what was queued before reset()', async () => {
    const { socket, open, current } = start()
    socket.send('of A')
    socket.reset()
    socket.send('of B')
    await open()
    expect(current().sent).toEqual(['of B'])
  })

  it('K08 keeps what was queued without reset()', async () => {
    const { socket, open, current } = start()
    socket.send('of A')
    socket.send('of A, too')
    await open()
    expect(current().sent).toEqual(['of A', 'of A, too'])
  })

  it('K08 does not dial with the credential that was asked for before reset()', async () => {
    const answers: ((value: string) => void)[] = []
    const credential = ticket(() => new Promise<string>((resolve) => answers.push(resolve)))
    const { socket, sockets } = start({ credential })
    await settled()
    socket.reset()
    await settled()
    answers[0]?.('of-A')
    await settled()
    expect(sockets).toHaveLength(0)
    answers[1]?.('of-B')
    await settled()
    expect(sockets.map(({ url }) => url)).toEqual(['wss://api.example.com/ws?ticket=of-B'])
  })

  it('K08 does not let a pending reconnect cross over', async () => {
    const { socket, open, current, clock, sockets, reasons } = start()
    await open()
    current().break()
    expect(clock.pending).toBe(1)
    socket.reset()
    await open()
    await clock.advance(600_000)
    expect(sockets).toHaveLength(2)
    expect(reasons).toEqual(['first', 'first'])
  })

  it.each([
    ['drops', 'brian', []],
    ['keeps', 'ada', ['queued while offline']],
  ])('K08 %s the queue when the server then says %s', async (_what, userId, sent) => {
    const { socket, open, current, retry } = start({ credential: firstMessage(() => 'secret') })
    await open()
    current().receive(authOk('ada'))
    current().break()
    socket.send('queued while offline')
    await retry()
    await open()
    current().receive(authOk(userId))
    expect(wire(current()).messages).toEqual(sent)
    expect(socket.bufferedAmount).toBe(0)
    socket.send('now')
    expect(wire(current()).messages).toEqual([...sent, 'now'])
  })

  it('K08 lets a listener of `authenticated` refuse before anything is sent', async () => {
    const { socket, open, current, sockets, events } = start({ credential: firstMessage(() => 'secret') })
    socket.addEventListener('authenticated', ({ userId }) => {
      if (userId !== 'ada') socket.reset()
    })
    socket.send('of ada')
    await open()
    current().receive(authOk('brian'))
    await settled()
    expect(wire(sockets[0] as FakeSocket).messages).toEqual([])
    expect(events.count('open')).toBe(0)
    socket.send('of ada, again')
    await open()
    current().receive(authOk('ada'))
    expect(wire(current()).messages).toEqual(['of ada, again'])
  })

  it('K08 no message ever crosses from one user to another, is sent twice or out of order', async () => {
    const steps = ['send', 'send', 'switch', 'answer', 'open', 'ack', 'notice', 'break', 'expire', 'wait', 'close']
    const step = fc.constantFrom(...steps)
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (script) => {
        let user = 0
        let count = 0
        const answers: (() => void)[] = []
        const source = () => {
          const token = `user${user}`
          return new Promise<string>((resolve) => answers.push(() => resolve(token)))
        }
        const { socket, sockets, live, clock } = start({ credential: firstMessage(source), renew: renewal(source) })
        const perform: Record<string, () => unknown> = {
          send: () => socket.send(`user${user}:${String(count++).padStart(3, '0')}`),
          switch: () => {
            user++
            socket.reset()
          },
          answer: () => answers.shift()?.(),
          open: () => sockets.at(-1)?.readyState === 0 && sockets.at(-1)?.open(),
          ack: () => {
            const newest = sockets.at(-1)
            if (newest?.sent.length) newest.receive(authOk(wire(newest).user))
          },
          notice: () => sockets.at(-1)?.receive(encodeFrame({ type: 'auth_expiring', expiresIn: 1 })),
          break: () => sockets.at(-1)?.break(),
          expire: () => sockets.at(-1)?.end(4019),
          wait: () => clock.advance(1_000),
          close: () => socket.close(),
        }
        for (const name of script) {
          await perform[name]?.()
          await settled()
        }
        const sent = sockets.map(wire)
        for (const connection of sent) {
          for (const message of connection.messages) expect(message.split(':')[0]).toBe(connection.user)
          for (const renewed of connection.renewals) expect(renewed).toBe(connection.user)
        }
        const numbers = sent.flatMap(({ messages }) => messages.map((message) => message.split(':')[1]))
        expect(numbers).toEqual([...new Set(numbers)].sort())
        expect(live.most).toBeLessThanOrEqual(1)
      }),
      { numRuns: 300 },
    )
  })
})
