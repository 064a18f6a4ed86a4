import { CredentialError } from '@sallyport/client'
import { codes } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { settled } from './fakes.js'
import { authFail, authOk, renewing } from './renewing.js'

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
      [500, 2],
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
