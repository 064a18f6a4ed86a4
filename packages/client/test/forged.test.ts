import { firstMessage, renewal } from '@sallyport/client'
import { encodeFrame } from '@sallyport/protocol'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { settled, start } from './fakes.js'
import { authExpiring, authFail, authOk, renewing } from './renewing.js'

const forgeries = [
  authOk(100),
  authFail,
  authExpiring(0),
  encodeFrame({ type: 'auth_ok', userId: 'eve', connection: 'c1', expiresIn: 0, nonce: 'AAAAAAAAAAAAAAAAAAAAAA' }),
]

describe('K17 frames that other users have written', () => {
  it('K17 are messages of the application, where the server says the nonce', async () => {
    const { clock, current, events, attempts } = await renewing(1_000)
    for (const forgery of forgeries) current().relay(forgery)
    expect(events.log.slice(2).map(({ event }) => event.data)).toEqual(forgeries)
    await clock.advance(60_000)
    expect(attempts).toEqual([])
    current().receive(authExpiring(60))
    await clock.advance(30_000)
    expect(attempts).toHaveLength(1)
    expect(events.types().slice(2)).toEqual(forgeries.map(() => 'message'))
  })

  it('K17 do not answer a renewal there', async () => {
    const { clock, current, tokens, attempts } = await renewing(100)
    await clock.advance(90_000)
    for (const forgery of forgeries) current().relay(forgery)
    // As if none had come: the renewal is not answered, and tried again.
    await clock.advance(10_000)
    expect(attempts.at(-1)?.reason).toBe('renewal')
    expect(tokens()).toHaveLength(2)
    current().receive(authOk(1_000))
    await clock.advance(800_000)
    expect(tokens()).toHaveLength(2)
  })

  it('K17 answer a frame of ours at most, where the server does not know nonces', async () => {
    const { clock, open, current, events, sockets } = start({
      credential: firstMessage(() => 't0'),
      renew: renewal(() => 't1'),
    })
    await open()
    current().relay(authOk(100))
    for (const frame of [authFail, authExpiring(0), authOk(0)]) current().relay(frame)
    expect(events.types()).toEqual(['authenticated', 'open', 'message', 'message', 'message'])
    await clock.advance(89_999)
    expect(current().sent).toHaveLength(1)
    await clock.advance(1)
    expect(current().sent).toHaveLength(2)
    for (const frame of [authExpiring(0), authOk(1_000), authOk(0), authFail]) current().relay(frame)
    expect(events.count('message')).toBe(6)
    await clock.advance(899_999)
    expect(current().sent).toHaveLength(2)
    await clock.advance(1)
    expect(current().sent).toHaveLength(3)
    // The worst that a forged answer does: the socket takes the connection for dead, and connects anew.
    current().relay(authOk(0))
    await clock.advance(10_000)
    expect(events.last('reconnecting')).toMatchObject({ outcome: { kind: 'expired' }, attempt: 1, delayMs: 0 })
    await settled()
    expect(sockets).toHaveLength(2)
  })

  it('K17 cannot be told from the server’s in the first answer, before which nothing of theirs crosses', async () => {
    const { open, current, events } = start({ credential: firstMessage(() => 'secret') })
    await open()
    current().relay(authOk(60))
    expect(events.types()).toEqual(['authenticated', 'open'])
  })

  it('K17 cannot be written by who has seen another connection: each has a nonce of its own', async () => {
    const { current, sockets, retry, accept, events } = await renewing(100)
    current().break()
    await retry()
    await accept(100)
    const nonces = sockets.map(({ nonce }) => nonce)
    expect(new Set(nonces).size).toBe(2)
    for (const nonce of nonces) expect(nonce).toMatch(/^[\w-]{22}$/)
    expect(events.last('authenticated')).not.toHaveProperty('nonce')
  })

  it('K17 nor where the runtime has no crypto', async () => {
    vi.stubGlobal('crypto', undefined)
    onTestFinished(() => {
      vi.unstubAllGlobals()
    })
    let count = 0
    const random = () => (count++ % 16) / 16
    const { open, current } = start({ credential: firstMessage(() => 'secret'), random })
    await open()
    await settled()
    expect(current().nonce).toBe('ABAgMEBQYHCAkKCwwNDg8A'.slice(0, 22))
  })
})
