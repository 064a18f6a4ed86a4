import {
  type Attempt,
  CredentialError,
  firstMessage,
  type GuardedSocketOptions,
  renewal,
  type TokenSource,
} from '@sallyport/client'
import { codes, encodeFrame } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { settled, start } from './fakes.js'

const authFail = encodeFrame({ type: 'auth_fail' })
const authExpiring = (expiresIn: number) => encodeFrame({ type: 'auth_expiring', expiresIn })
const authOk = (expiresIn?: number) =>
  encodeFrame({ type: 'auth_ok', userId: 'ada', connection: 'c1', ...(expiresIn !== undefined && { expiresIn }) })

/** A socket that authenticates by first message with `t0`, and is asked for `t1`, `t2`, … when it renews. */
async function renewing(expiresIn?: number, options: Partial<GuardedSocketOptions> & { source?: TokenSource } = {}) {
  const attempts: Attempt[] = []
  const source: TokenSource = (attempt) => {
    attempts.push(attempt)
    return options.source ? options.source(attempt) : `t${attempts.length}`
  }
  const started = start({ credential: firstMessage(() => 't0'), renew: renewal(source), ...options })
  /** Lets the attempt under way succeed, with a credential of so many seconds. */
  const accept = async (seconds?: number) => {
    await started.open()
    started.current().receive(authOk(seconds))
    await settled()
  }
  /** The tokens on the wire of the newest connection. */
  const tokens = () =>
    started
      .current()
      .sent.map(String)
      .filter((text) => text.includes('"auth"'))
      .map((text) => (JSON.parse(text) as { token: string }).token)
  await accept(expiresIn)
  return { ...started, accept, attempts, tokens }
}

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

  it('comes once a second at most, however often the server says that it is time', async () => {
    const { clock, current, attempts } = await renewing(100)
    for (let moment = 0; moment < 100; moment++) {
      current().receive(authExpiring(0))
      await clock.advance(100)
      current().receive(authOk(0))
    }
    expect(attempts.length).toBeGreaterThanOrEqual(9)
    expect(attempts.length).toBeLessThanOrEqual(11)
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
        kind: 'unavailable',
        cause: new TypeError('renewal(getToken) needs firstMessage(): pass the URL of the renew endpoint'),
      },
    })
  })
})

describe('a renewal that fails', () => {
  it('is tried once more after a refusal, with `rejected`, and then the connection lives on to its end', async () => {
    const { clock, current, attempts, events, socket, accept, sockets, tokens } = await renewing(100)
    const seen = events.types()
    await clock.advance(90_000)
    current().receive(authFail)
    await clock.advance(1_000)
    current().receive(authFail)
    await clock.advance(8_999)
    expect(attempts.map(({ reason }) => reason)).toEqual(['renewal', 'rejected'])
    expect([events.types(), socket.readyState]).toEqual([seen, 1])
    current().receive('still here')
    expect(events.last('message').data).toBe('still here')
    current().end(codes.expired.close, codes.expired.reason)
    expect(events.last('reconnecting')).toMatchObject({ outcome: { kind: 'expired' }, delayMs: 0 })
    await clock.advance(0)
    await accept(100)
    expect(sockets).toHaveLength(2)
    await clock.advance(90_000)
    expect(attempts.at(-1)?.reason).toBe('renewal')
    expect(tokens()).toEqual(['t0', 't3'])
  })

  it('is forgotten once another one succeeds', async () => {
    const { clock, current, attempts } = await renewing(100)
    await clock.advance(90_000)
    current().receive(authFail)
    await clock.advance(1_000)
    current().receive(authOk(100))
    await clock.advance(90_000)
    current().receive(authFail)
    await clock.advance(1_000)
    expect(attempts.map(({ reason }) => reason)).toEqual(['renewal', 'rejected', 'renewal', 'rejected'])
  })

  it.each<[string, () => Promise<string>]>([
    ['throws', () => Promise.reject(new Error('of the application'))],
    ['has no network', () => Promise.reject(new CredentialError('offline'))],
    ['throws 503', () => Promise.reject(new CredentialError('down', { status: 503 }))],
  ])('is tried again with growing delays when the credential function %s', async (_what, fail) => {
    let failures = 3
    const { clock, attempts, tokens, socket, events } = await renewing(100, {
      source: () => (failures-- > 0 ? fail() : 'good'),
    })
    await clock.advance(90_000)
    for (const [delay, count] of [
      [1_000, 2],
      [1_000, 3],
      [2_000, 4],
    ] as const) {
      await clock.advance(delay - 1)
      expect(attempts).toHaveLength(count - 1)
      await clock.advance(1)
      expect(attempts).toHaveLength(count)
    }
    expect(tokens()).toEqual(['t0', 'good'])
    expect([socket.readyState, events.count('error')]).toEqual([1, 0])
  })

  it('waits as long as Retry-After says', async () => {
    let first = true
    const { clock, attempts } = await renewing(100, {
      source: () => {
        if (!first) return 'good'
        first = false
        throw new CredentialError('slow down', { status: 429, retryAfter: 5 })
      },
    })
    await clock.advance(90_000)
    await clock.advance(5_499)
    expect(attempts).toHaveLength(1)
    await clock.advance(1)
    expect(attempts).toHaveLength(2)
  })

  it.each([
    [403, 'terminal'],
    [401, undefined],
    [404, undefined],
  ])('with %i ends in %s', async (status, end) => {
    const { clock, events, socket, sockets } = await renewing(100, {
      source: () => Promise.reject(new CredentialError('no', { status })),
    })
    await clock.advance(99_999)
    expect(events.types().includes('terminal')).toBe(end === 'terminal')
    if (end) expect(events.last('terminal')).toMatchObject({ outcome: { kind: 'forbidden', status } })
    expect([socket.readyState, sockets.length]).toEqual([end ? 3 : 1, 1])
  })

  it('stops with the Close of a server that was told of another identity', async () => {
    const { clock, current, events, sockets } = await renewing(100)
    await clock.advance(90_000)
    current().end(codes.forbidden.close, codes.forbidden.reason)
    await clock.advance(600_000)
    expect(events.last('terminal')).toMatchObject({ outcome: { kind: 'forbidden' } })
    expect(sockets).toHaveLength(1)
  })

  it('is given up after 10 s, and a token that comes later is not sent', async () => {
    const answers: ((token: string) => void)[] = []
    const { clock, attempts, tokens } = await renewing(100, {
      source: () => new Promise<string>((resolve) => answers.push(resolve)),
    })
    await clock.advance(90_000)
    await clock.advance(9_999)
    expect(attempts[0]?.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(attempts[0]?.signal.aborted).toBe(true)
    answers[0]?.('late')
    await clock.advance(500)
    expect(attempts).toHaveLength(2)
    answers[1]?.('in-time')
    await settled()
    expect(tokens()).toEqual(['t0', 'in-time'])
  })

  it('is tried again when the server does not answer, and a late answer counts', async () => {
    const { clock, current, tokens } = await renewing(1_000)
    await clock.advance(900_000)
    await clock.advance(10_500)
    expect(tokens()).toEqual(['t0', 't1', 't2'])
    current().receive(authOk(1_000))
    await clock.advance(899_999)
    expect(tokens()).toEqual(['t0', 't1', 't2'])
    await clock.advance(1)
    expect(tokens()).toEqual(['t0', 't1', 't2', 't3'])
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
    expect(events.last('close')).toMatchObject({ code: 4019, reason: 'Credential expired', wasClean: false })
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
