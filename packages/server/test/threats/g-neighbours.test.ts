import { createGuard, type Identity, introspection, query, type Verifier, type VerifyContext } from '@sallyport/server'
import { jwt } from '@sallyport/server/jwt'
import type { ConnectOptions } from '@sallyport/server/testing'
import { describe, expect, it } from 'vitest'
import { testClock } from '../support/clock.js'
import { handshake } from '../support/handshake.js'
import { startJsonServer } from '../support/json-server.js'
import { live } from '../support/live.js'
import { goodClaims, hmac, hmacSigner, rules, secret, tokenBy } from '../support/tokens.js'

const flooder = '192.0.2.66'
const second = 1_000

describe('G23 a good credential behind the address of a flood', () => {
  const many = 40
  const each = (of: (i: number) => Promise<number>) => Promise.all(Array.from({ length: many }, (_, i) => of(i)))
  const all = Array(many).fill(101)

  /** A guard, and the flood that goes on in this very second: it has taken all that its address may have verified. */
  function flooded(verify: Verifier<Identity>) {
    const asked: string[] = []
    const counting: Verifier<Identity> = Object.assign((credential: string, context: VerifyContext) => {
      asked.push(credential)
      return verify(credential, context)
    }, verify.recall && { recall: verify.recall })
    const set = live({ verify: counting })
    const connect = async (options: ConnectOptions) => {
      try {
        await set.server.connect({ ...options, address: flooder })
        return 101
      } catch (error) {
        return (error as { status: number }).status
      }
    }
    const withToken = (token: string) => connect({ headers: { Authorization: `Bearer ${token}` } })
    const flood = async () => {
      for (let i = 0; i < 100; i++) await withToken(forgery(i))
      expect(await withToken(forgery(100))).toBe(429)
      asked.length = 0
    }
    return { ...set, asked, connect, withToken, flood }
  }

  const verify = jwt({ secret, algorithms: ['HS256'], ...rules })
  const token = (i: number) => tokenBy(hmac, { claims: { sub: `user-${i}`, jti: `token-${i}` } })
  const forgery = (i: number) => tokenBy(hmacSigner('another secret of at least 32 bytes'), { claims: { jti: `${i}` } })

  it('G23 passes when its verifier remembers it: forty of forty, and none is verified anew', async () => {
    const { withToken, flood, asked, guard } = flooded(verify)
    expect(await each((i) => withToken(token(i)))).toEqual(all)
    await flood()
    expect(await each((i) => withToken(token(i)))).toEqual(all)
    expect(asked).toEqual([])
    expect(guard.connections.size).toBe(2 * many)
    // One that nobody has seen before cannot be told from the flood.
    expect(await withToken(token(many))).toBe(429)
  })

  it('G23 passes by query too, and not when it lives too long for one', async () => {
    const clock = testClock()
    const guard = createGuard({
      clock,
      accept: [query({ verify })],
      limits: { failedAttempts: 1, verificationBudget: 0 },
    })
    const short = { exp: clock.now() / 1000 + 30, iat: clock.now() / 1000 }
    const [brief, long] = [tokenBy(hmac, { claims: short }), token(1)]
    const decide = (token: string) => guard.decide(handshake({ target: `/ws?token=${token}`, address: flooder }))
    for (const token of [brief, long]) await decide(token)
    await decide(forgery(0))
    expect(await decide(forgery(1))).toMatchObject({ type: 'refuse', reason: 'attempts' })
    expect(await decide(brief)).toMatchObject({ type: 'accept' })
    expect(await decide(long)).toMatchObject({ type: 'refuse', reason: 'attempts' })
  })

  it('G23 passes when it is a ticket: forty of forty, each once', async () => {
    const { present, connect, flood, asked } = flooded(verify)
    const tickets: ConnectOptions[] = []
    for (let i = 0; i < many; i++) tickets.push(await present(token(i), 'ticket'))
    await flood()
    expect(await each((i) => connect(tickets[i]!))).toEqual(all)
    expect(await each((i) => connect(tickets[i]!))).toEqual(Array(many).fill(429))
    expect(asked).toEqual([])
  })

  it('G23 passes when the issuer was asked about it a moment ago', async () => {
    const issuer = await startJsonServer({ active: true, ...goodClaims({ exp: undefined, nbf: undefined }) })
    const verify = introspection({
      ...rules,
      endpoint: issuer.url,
      clientId: 'chat',
      clientSecret: 'secret',
    })
    const { withToken, flood } = flooded(verify)
    expect(await withToken('opaque')).toBe(101)
    issuer.answer = { active: false }
    await flood()
    const before = issuer.received.length
    expect(await each(() => withToken('opaque'))).toEqual(all)
    expect(issuer.received).toHaveLength(before)
  })

  it('G23 takes nothing of what is left for the others', async () => {
    const { withToken, clock, flood } = flooded(verify)
    await flood()
    clock.advance(second)
    // None of them has been seen before, and no forgery comes between.
    expect(await each((i) => withToken(token(many + 1 + i)))).toEqual(all)
  })

  it('G23 but one that is revoked is refused, remembered or not', async () => {
    const { withToken, flood, guard, clock } = flooded(verify)
    expect(await withToken(token(0))).toBe(101)
    clock.advance(second)
    await guard.revoke({ token: 'token-0' })
    await flood()
    expect(await withToken(token(0))).toBe(429)
  })
})
