import { type Identity, rejected, UnavailableError, type Verification, type Verifier } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { verifyInTime } from '../../../src/verifiers/in-time.js'
import { testClock } from '../../support/clock.js'
import { deferred, nextTurn } from '../../support/deferred.js'
import { handshake } from '../../support/handshake.js'

const good = { identity: { id: 'ada' } }

function ask(verify: Verifier<Identity>) {
  const clock = testClock()
  return { clock, answer: verifyInTime(verify, 'credential', { handshake: handshake(), clock, timeout: 5_000 }) }
}

describe('verifyInTime', () => {
  it('hands over the credential, the handshake and the time', async () => {
    const { promise, resolve } = deferred<unknown>()
    const { clock } = ask((credential, { handshake, now }) => {
      resolve({ credential, handshake, now })
      return good
    })
    expect(await promise).toEqual({ credential: 'credential', handshake: handshake(), now: clock.now() })
  })

  it.each([
    ['good', good],
    ['bad', rejected('credential-unknown')],
  ])('costs no timer when the answer is there at once: %s', async (_, verification) => {
    const { clock, answer } = ask(() => verification)
    expect(clock.pending).toBe(0)
    expect(await answer).toBe(verification)
  })

  it('waits for an answer, and takes its timer away', async () => {
    const { promise, resolve } = deferred<Verification>()
    const { clock, answer } = ask(() => promise)
    expect(clock.pending).toBe(1)
    clock.advance(4_999)
    resolve(good)
    expect(await answer).toBe(good)
    expect(clock.pending).toBe(0)
  })

  it('is unavailable when the time is over', async () => {
    const { clock, answer } = ask(() => new Promise(() => {}))
    clock.advance(5_000)
    await expect(answer).rejects.toThrow(UnavailableError)
    expect(clock.pending).toBe(0)
  })

  it.each<[string, (end: ReturnType<typeof deferred<Verification>>) => void]>([
    ['an answer', ({ resolve }) => resolve(good)],
    ['a failure', ({ reject }) => reject(new Error('too late'))],
  ])('drops %s that comes after', async (_, settle) => {
    const end = deferred<Verification>()
    const { clock, answer } = ask(() => end.promise)
    clock.advance(5_000)
    await expect(answer).rejects.toThrow(UnavailableError)
    settle(end)
    await nextTurn()
  })

  it('aborts the signal when the time is over', async () => {
    const { promise, resolve } = deferred<AbortSignal>()
    const { clock, answer } = ask((_, { signal }) => {
      resolve(signal)
      return new Promise(() => {})
    })
    const signal = await promise
    expect(signal.aborted).toBe(false)
    clock.advance(5_000)
    await expect(answer).rejects.toThrow(UnavailableError)
    expect(signal.aborted).toBe(true)
    expect(signal.reason).toBeInstanceOf(UnavailableError)
  })

  it('has one signal, also for who asks for it after the time is over', async () => {
    const { promise, resolve } = deferred<() => AbortSignal>()
    const { clock, answer } = ask((_, context) => {
      resolve(() => context.signal)
      return new Promise(() => {})
    })
    const signal = await promise
    clock.advance(5_000)
    await expect(answer).rejects.toThrow(UnavailableError)
    expect(signal().aborted).toBe(true)
    expect(signal()).toBe(signal())
  })

  it('does not abort the signal when the answer was in time', async () => {
    const { promise, resolve } = deferred<AbortSignal>()
    const { clock, answer } = ask(async (_, { signal }) => {
      resolve(signal)
      return good
    })
    await answer
    clock.advance(5_000)
    expect((await promise).aborted).toBe(false)
  })

  it.each<[string, Verifier<Identity>]>([
    [
      'throws',
      () => {
        throw new RangeError('bug')
      },
    ],
    ['rejects', () => Promise.reject(new RangeError('bug'))],
  ])('passes on what a verifier %s', async (_, verify) => {
    const clock = testClock()
    const asking = async () => verifyInTime(verify, 'credential', { handshake: handshake(), clock, timeout: 5_000 })
    await expect(asking).rejects.toThrow(RangeError)
    expect(clock.pending).toBe(0)
  })
})
