import { firstMessage } from '@sallyport/client'
import { codes, encodeFrame } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { settled, start } from './fakes.js'

const credential = firstMessage(() => 'secret')
const authOk = encodeFrame({ type: 'auth_ok', userId: 'ada', connection: 'c1', expiresIn: 60 })
const authExpiring = encodeFrame({ type: 'auth_expiring', expiresIn: 5 })
const authFail = encodeFrame({ type: 'auth_fail' })

describe('the first message', () => {
  it('is the first on the wire, and `open` waits for its acknowledgement', async () => {
    const { socket, open, current, events } = start({ credential })
    socket.send('queued')
    await open()
    expect(current().url).toBe('wss://api.example.com/ws')
    expect(current().said).toEqual(['{"type":"auth","token":"secret"}'])
    expect([socket.readyState, events.types()]).toEqual([0, []])
    current().receive(authOk)
    expect(events.last('authenticated')).toMatchObject({ userId: 'ada', connection: 'c1', expiresIn: 60 })
    expect(events.types()).toEqual(['authenticated', 'open'])
    expect(current().said).toEqual(['{"type":"auth","token":"secret"}', 'queued'])
    await socket.ready
  })

  it('is asked for anew after a loss', async () => {
    let count = 0
    const { open, current, retry } = start({ credential: firstMessage(() => `secret${++count}`) })
    await open()
    current().receive(authOk)
    current().break()
    await retry()
    await open()
    expect(current().said).toEqual(['{"type":"auth","token":"secret2"}'])
  })

  it('that is refused ends the attempt with the Close of the server, and the application sees neither', async () => {
    const { open, current, clock, events, sockets } = start({ credential })
    for (let attempt = 0; attempt < 2; attempt++) {
      await open()
      current().receive(authFail)
      expect(events.count('open')).toBe(0)
      current().end(codes.unauthenticated.close, codes.unauthenticated.reason)
      await clock.advance(500)
    }
    expect(sockets).toHaveLength(2)
    expect(events.types()).toEqual(['reconnecting', 'error', 'terminal', 'error', 'close'])
    expect(events.last('terminal')).toMatchObject({ outcome: { kind: 'unauthenticated', code: 4001 } })
  })

  it('that is not answered within 10 s ends the attempt', async () => {
    const { open, current, clock, events } = start({ credential })
    await open()
    await clock.advance(9_999)
    expect(events.types()).toEqual([])
    await clock.advance(1)
    expect(events.last('reconnecting')).toMatchObject({ outcome: { kind: 'network' } })
    expect(events.last('reconnecting').outcome).not.toHaveProperty('ambiguous')
    current().receive(authOk)
    expect(events.count('open')).toBe(0)
  })
})

describe('frames of the protocol', () => {
  it('never reach the application on a connection that speaks them', async () => {
    const { open, current, events } = start({ credential })
    await open()
    for (const frame of [authOk, authOk, authExpiring, authFail]) current().receive(frame)
    expect(events.types()).toEqual(['authenticated', 'open'])
    const messages = ['{"type":"auth_other"}', '{"type":"auth_ok"}', 'about "auth_ok"', 'hello', new ArrayBuffer(1)]
    for (const message of messages) current().relay(message)
    expect(events.log.slice(2).map(({ event }) => event.data)).toEqual(messages)
  })

  it('are the application’s own on any other connection', async () => {
    const { open, current, events } = start()
    await open()
    for (const frame of [authOk, authExpiring, authFail]) current().receive(frame)
    expect(events.log.slice(2).map(({ event }) => event.data)).toEqual([authOk, authExpiring, authFail])
    expect(events.last('authenticated')).not.toHaveProperty('userId')
  })

  it('are all that is heard before the acknowledgement', async () => {
    const { open, current, events } = start({ credential })
    await open()
    current().receive('too early')
    current().receive(authExpiring)
    current().receive(new ArrayBuffer(1))
    expect(events.types()).toEqual([])
    current().receive(authOk)
    current().receive('in time')
    expect(events.types()).toEqual(['authenticated', 'open', 'message'])
  })
})

describe('K09 the first message to the wrong peer', () => {
  it.each([
    ['another subprotocol', 'other'],
    ['no subprotocol', ''],
  ])('K09 is not sent where %s was selected, and the socket stops', async (_what, selected) => {
    const { current, events, clock, sockets } = start({ credential, protocols: ['chat'] })
    await settled()
    current().open(selected)
    expect(current().sent).toEqual([])
    expect(current().closedWith).toBeDefined()
    expect(events.last('terminal')).toMatchObject({
      outcome: { kind: 'misconfigured', cause: new Error('No subprotocol') },
    })
    await clock.advance(600_000)
    expect(sockets).toHaveLength(1)
  })

  it('K09 is sent where the expected subprotocol was selected', async () => {
    const { current, events } = start({ credential, protocols: ['chat'] })
    await settled()
    current().open('chat')
    expect(current().said).toEqual(['{"type":"auth","token":"secret"}'])
    expect(events.count('terminal')).toBe(0)
  })

  it('K09 is sent once, whatever the server asks for later', async () => {
    const { open, current } = start({ credential })
    await open()
    current().receive('{"type":"auth_required"}')
    current().receive(authExpiring)
    current().receive(authOk)
    const demands = [authFail, authExpiring, authOk, '{"type":"auth_required"}', '{"type":"auth"}', 'token?']
    for (const demand of demands) current().receive(demand)
    await settled()
    expect(current().said).toEqual(['{"type":"auth","token":"secret"}'])
  })
})
