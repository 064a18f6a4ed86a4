import { firstMessage, renewal } from '@sallyport/client'
import { describe, expect, it } from 'vitest'
import { settled, start } from './fakes.js'
import { authExpiring, authFail, authOk, renewing } from './renewing.js'

describe('renewal on a connection that speaks the frames', () => {
  it.each([
    [0, 75_000],
    [0.5, 82_500],
    [1, 90_000],
  ])('with a random number of %d sends the next token after %i ms of 100 s', async (random, ms) => {
    const { clock, tokens } = await renewing(100, { random: () => random })
    await clock.advance(ms - 1)
    expect(tokens()).toEqual(['t0'])
    await clock.advance(1)
    expect(tokens()).toEqual(['t0', 't1'])
  })

  it('goes on with what the server grants, on the same connection, unseen by the application', async () => {
    const { clock, current, tokens, attempts, events, sockets, socket } = await renewing(100)
    const seen = events.types()
    await clock.advance(90_000)
    socket.send('meanwhile')
    current().receive(authOk(1_000))
    current().receive('hello')
    await clock.advance(899_999)
    expect(tokens()).toEqual(['t0', 't1'])
    await clock.advance(1)
    expect(tokens()).toEqual(['t0', 't1', 't2'])
    expect(attempts.map(({ reason }) => reason)).toEqual(['renewal', 'renewal'])
    expect(current().sent[2]).toBe('meanwhile')
    expect(events.types()).toEqual([...seen, 'message'])
    expect(sockets).toHaveLength(1)
  })

  it('comes when the server says that the end is near, within half of what is left', async () => {
    const { clock, current, tokens } = await renewing(1_000)
    await clock.advance(100_000)
    current().receive(authExpiring(60))
    await clock.advance(29_999)
    expect(tokens()).toEqual(['t0'])
    await clock.advance(1)
    expect(tokens()).toEqual(['t0', 't1'])
  })

  it('comes no later than planned, whatever the server says of the end', async () => {
    const { clock, current, tokens } = await renewing(100)
    await clock.advance(89_000)
    current().receive(authExpiring(60))
    await clock.advance(1_000)
    expect(tokens()).toEqual(['t0', 't1'])
  })

  it('comes for a credential without a known end only when the server says so', async () => {
    const { clock, current, tokens } = await renewing()
    await clock.advance(600_000)
    expect([tokens(), clock.pending]).toEqual([['t0'], 0])
    current().receive(authExpiring(10))
    await clock.advance(5_000)
    expect(tokens()).toEqual(['t0', 't1'])
  })

  it('ends with a credential that has no end', async () => {
    const { clock, current, tokens } = await renewing(100)
    await clock.advance(90_000)
    current().receive(authOk())
    await clock.advance(600_000)
    expect([tokens(), clock.pending]).toEqual([['t0', 't1'], 0])
  })

  it('is one at a time', async () => {
    const { clock, current, attempts } = await renewing(100, { source: () => new Promise<string>(() => {}) })
    await clock.advance(90_000)
    for (let notice = 0; notice < 9; notice++) {
      current().receive(authExpiring(8))
      await clock.advance(1_000)
    }
    expect(attempts).toHaveLength(1)
  })

  it('comes every five seconds at most, however often the server says that it is time', async () => {
    const { clock, current, attempts } = await renewing(100)
    for (let moment = 0; moment < 500; moment++) {
      current().receive(authExpiring(0))
      await clock.advance(100)
      current().receive(authOk(0))
    }
    expect(attempts.length).toBeGreaterThanOrEqual(9)
    expect(attempts.length).toBeLessThanOrEqual(11)
  })

  it('goes on asking a function that answers from a cache, but not in a hurry', async () => {
    const { clock, current, attempts } = await renewing(3_600)
    for (const [ms, left] of [
      [3_240_000, 360],
      [324_000, 36],
      [32_400, 3],
    ] as const) {
      await clock.advance(ms)
      current().receive(authOk(left))
    }
    expect(attempts).toHaveLength(3)
    await clock.advance(4_999)
    expect(attempts).toHaveLength(3)
    await clock.advance(1)
    expect(attempts).toHaveLength(4)
  })

  it('starts anew with every connection', async () => {
    const { clock, current, retry, accept, tokens } = await renewing(100)
    await clock.advance(50_000)
    current().break()
    await retry()
    await accept(100)
    await clock.advance(89_999)
    expect(tokens()).toEqual(['t0'])
    await clock.advance(1)
    expect(tokens()).toEqual(['t0', 't1'])
  })

  it.each([
    ['waits', 50_000],
    ['is under way', 90_000],
  ])('leaves no timer behind when it %s', async (_what, ms) => {
    const { clock, current, socket } = await renewing(100)
    await clock.advance(ms)
    socket.close()
    current().end(1000)
    await settled()
    expect(clock.pending).toBe(0)
  })

  it('is not possible elsewhere, and says so', async () => {
    const { open, events } = start({ renew: renewal(() => 'token') })
    await open()
    expect(events.last('terminal')).toMatchObject({
      outcome: {
        kind: 'misconfigured',
        cause: new TypeError('renewal(getToken) needs firstMessage(): pass a URL'),
      },
    })
  })
})

describe('a credential that came to its end', () => {
  it('makes the socket reconnect when the Close of the server is 10 s overdue', async () => {
    const { clock, sockets, events } = await renewing(100, { source: () => Promise.reject(new Error()) })
    await clock.advance(109_999)
    expect([sockets.length, sockets[0]?.closedWith]).toEqual([1, undefined])
    await clock.advance(1)
    expect(sockets[0]?.closedWith).toBeDefined()
    expect(sockets).toHaveLength(2)
    expect(events.last('reconnecting')).toMatchObject({ outcome: { kind: 'expired', code: 4019 }, delayMs: 0 })
    expect(events.last('close')).toMatchObject({ code: 4019, reason: '', wasClean: false })
  })

  it('K07 is noticed within 30 s after the machine slept, though no timer told', async () => {
    const { clock, events } = await renewing(1_000)
    await clock.advance(100_000)
    clock.sleep(3_600_000)
    await clock.advance(30_000)
    expect(events.log.find(({ type }) => type === 'reconnecting')?.event).toMatchObject({
      outcome: { kind: 'expired' },
    })
  })

  it('K07 is not thought of when the machine slept less than it lives', async () => {
    const { clock, events, tokens } = await renewing(10_000)
    await clock.advance(100_000)
    clock.sleep(3_600_000)
    await clock.advance(30_000)
    expect(events.count('reconnecting')).toBe(0)
    expect(tokens()).toEqual(['t0'])
  })

  it('K07 is far away for a life longer than a timer takes', async () => {
    const day = 86_400_000
    const { clock, tokens } = await renewing((60 * day) / 1000, { random: () => 0 })
    clock.sleep(44 * day)
    await clock.advance(30_000)
    expect(tokens()).toEqual(['t0'])
    clock.sleep(day)
    await clock.advance(30_000)
    expect(tokens()).toEqual(['t0', 't1'])
  })
})

describe('K08 a renewal under way when the account changes', () => {
  it('K08 discards the token of the old account', async () => {
    const answers: ((token: string) => void)[] = []
    const { clock, socket, sockets, accept, tokens, attempts } = await renewing(100, {
      source: () => new Promise<string>((resolve) => answers.push(resolve)),
    })
    await clock.advance(90_000)
    socket.reset()
    expect(attempts[0]?.signal.aborted).toBe(true)
    await accept(100)
    answers[0]?.('of-A')
    await settled()
    expect(sockets.flatMap(({ sent }) => sent).join()).not.toContain('of-A')
    await clock.advance(90_000)
    answers[1]?.('of-B')
    await settled()
    expect(tokens()).toEqual(['t0', 'of-B'])
  })

  it('K08 does not take an answer to the old connection for one to the new', async () => {
    const { clock, socket, sockets, accept, tokens } = await renewing(100)
    await clock.advance(90_000)
    socket.reset()
    await accept(100)
    sockets[0]?.receive(authOk(1_000_000))
    sockets[0]?.receive(authFail)
    sockets[0]?.receive(authExpiring(0))
    await clock.advance(89_999)
    expect(tokens()).toEqual(['t0'])
    await clock.advance(1)
    expect(tokens()).toEqual(['t0', 't2'])
  })

  it('K08 does not renew a connection that a listener of `authenticated` refused', async () => {
    const { socket, open, current, clock } = start({
      credential: firstMessage(() => 't0'),
      renew: renewal(() => 't1'),
    })
    socket.addEventListener('authenticated', () => socket.reset(), { once: true })
    await open()
    const first = current()
    first.receive(authOk(100))
    await clock.advance(90_000)
    expect(first.sent).toHaveLength(1)
  })
})
