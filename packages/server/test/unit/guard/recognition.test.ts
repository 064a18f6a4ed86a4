import { createGuard, type Handshake } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { liveConnections } from '../../../src/connections/of-guard.js'
import { credentialOf, verifyClaims } from '../../support/claims.js'
import { testClock } from '../../support/clock.js'
import { allMethods, origin } from '../../support/guard.js'
import { handshake } from '../../support/handshake.js'
import { fakeTransport } from '../../support/transport.js'

const guardOf = (clock = testClock()) => createGuard({ ...allMethods(verifyClaims), clock })

const of = (headers: Record<string, string>, changes: Partial<Handshake> = {}) =>
  handshake({ headers: Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]), ...changes })

const cookie = (claims = {}) => ({ Cookie: `session=${credentialOf(claims)}`, Origin: origin })

describe('a client that comes by many requests', () => {
  it('is known by the credential that each brings, whatever else they bring', async () => {
    const guard = guardOf()
    const mark = await guard.recognize(of(cookie()))
    const known = { mark: String(mark), connection: undefined }
    for (const same of [
      of({ ...cookie(), 'X-Other': 'a' }),
      of({ Cookie: `other=1; ${cookie().Cookie}` }),
      of(cookie(), { target: '/ws?sid=x', method: 'POST', address: '192.0.2.9' }),
    ]) {
      expect(await guard.recognize(same, known)).toBe(mark)
    }
    expect(mark).not.toContain(credentialOf())
  })

  it('is known by its address where they bring none: that of its network for IPv6', async () => {
    const guard = guardOf()
    const mark = await guard.recognize(of({}, { address: '2001:db8::1' }))
    const known = { mark: String(mark), connection: undefined }
    expect(await guard.recognize(of({}, { address: '2001:db8::2' }), known)).toBe(mark)
    expect(await guard.recognize(of({}, { address: '2001:db8:1::1' }), known)).toMatchObject({
      reason: 'identity-changed',
    })
    // What stands in the URL has leaked with the id.
    const target = `/ws?token=${credentialOf()}`
    expect(await guard.recognize(of({}, { target, address: '2001:db8:1::1' }), known)).toMatchObject({
      reason: 'identity-changed',
    })
  })

  it('goes on with a newer credential of its own, and with nobody else’s', async () => {
    const guard = guardOf()
    const first = of(cookie())
    const verdict = await guard.verify({ ...first, isOpen: true })
    if (verdict.type !== 'accept') throw new Error('refused')
    const connection = liveConnections(guard).open(verdict, first, fakeTransport())
    const known = { mark: String(await guard.recognize(first)), connection }
    expect(await guard.recognize(of(cookie({ token: 'newer' })), known)).toEqual(expect.any(String))
    expect(connection?.token).toBe('newer')
    expect(await guard.recognize(of(cookie({ id: 'eve' })), known)).toMatchObject({ reason: 'identity-changed' })
    expect(await guard.recognize(of({ Cookie: 'session=bad', Origin: origin }), known)).toMatchObject({
      reason: 'credential-unknown',
    })
    expect(await guard.recognize(of({}), known)).toMatchObject({ reason: 'credential-absent' })
  })

  it.each([
    ['a foreign page', { Origin: 'https://evil.example' }, 'origin-not-allowed'],
    ['an image of another site', { 'Sec-Fetch-Site': 'cross-site' }, 'fetch-metadata'],
    ['an image of a sister site', { 'Sec-Fetch-Site': 'same-site' }, 'fetch-metadata'],
  ])('never comes from %s', async (_, headers, reason) => {
    const guard = guardOf()
    const own = of({ ...cookie(), 'Sec-Fetch-Site': 'same-origin' })
    const known = { mark: String(await guard.recognize(own)), connection: undefined }
    const { Cookie } = cookie()
    expect(await guard.recognize(of({ Cookie, ...headers }), known)).toMatchObject({ reason })
    expect(await guard.recognize(of({ Cookie, 'Sec-Fetch-Site': 'same-origin' }), known)).toBe(known.mark)
  })

  it('is not new at a node that is going down, which lets its others go on', async () => {
    const guard = guardOf()
    const mark = await guard.recognize(of(cookie()))
    await guard.drain()
    expect(await guard.recognize(of(cookie()))).toMatchObject({ reason: 'draining' })
    expect(await guard.recognize(of(cookie()), { mark: String(mark), connection: undefined })).toBe(mark)
  })
})
