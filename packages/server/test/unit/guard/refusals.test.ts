import {
  type Accept,
  createGuard,
  createRoutes,
  type Handshake,
  header,
  type Identity,
  rejected,
  type Verifier,
} from '@sallyport/server'
import { testClock } from '@sallyport/server/testing'
import { describe, expect, it } from 'vitest'
import { liveConnections } from '../../../src/connections/of-guard.js'
import { handshake } from '../../support/handshake.js'
import { fakeTransport } from '../../support/transport.js'

/** Good credentials look like `ada` or `ada.session`; those that begin with `bad` are unknown. */
const verify: Verifier<Identity> = (credential, { now }) => {
  const [id = '', session] = credential.split('.')
  if (id.startsWith('bad')) return rejected('credential-unknown')
  return { identity: { id }, issuedAt: now, expiresAt: now + 60_000, ...(session && { session }) }
}

const bearer = (credential: string, headers: Handshake['headers'] = []): Handshake =>
  handshake({ headers: [['authorization', `Bearer ${credential}`], ...headers] })

function setUp(limits = {}) {
  const clock = testClock()
  const guard = createGuard({ clock, limits, accept: [header({ verify })] })
  const reasons: string[] = []
  guard.subscribe((event) => {
    if (event.type === 'refused') reasons.push(event.reason)
  })
  const open = async (credential: string) => {
    const verdict = await guard.decide(bearer(credential))
    return liveConnections(guard).open(verdict as Accept, bearer(credential), fakeTransport())!
  }
  return { clock, guard, reasons, open }
}

describe('a guard that is busy', () => {
  it('refuses a socket for which there is no place, until one is left', () => {
    const { guard, reasons } = setUp({ pendingSockets: 1 })
    const place = guard.enter(handshake())
    expect(guard.enter(handshake())).toMatchObject({ type: 'refuse', reason: 'pending', code: 'limited' })
    expect(reasons).toEqual(['pending'])
    if ('leave' in place) place.leave()
    expect(guard.enter(handshake())).toHaveProperty('leave')
  })

  it('refuses everybody while it drains, and nobody before', async () => {
    const { guard } = setUp()
    expect(await guard.decide(bearer('ada'))).toMatchObject({ type: 'accept' })
    await guard.drain()
    expect(await guard.decide(bearer('ada'))).toMatchObject({ type: 'refuse', reason: 'draining', code: 'restart' })
  })

  it('has no more credentials verified for who guesses than it may, until the next second', async () => {
    const { clock, guard } = setUp({ failedAttempts: 1, verificationBudget: 1 })
    const reasonFor = async (credential: string) => {
      const verdict = await guard.decide(bearer(credential))
      return verdict.type === 'refuse' ? verdict.reason : verdict.type
    }
    expect(await reasonFor('bad')).toBe('credential-unknown')
    // A good one leaves as much as there was.
    for (let i = 0; i < 3; i++) expect(await reasonFor('ada')).toBe('accept')
    expect(await reasonFor('bad')).toBe('attempts')
    expect(await reasonFor('ada')).toBe('attempts')
    clock.advance(1_000)
    expect(await reasonFor('ada')).toBe('accept')
  })
})

describe('a route', () => {
  it('reads no request whose headers may be missing', async () => {
    const { guard } = setUp()
    const lines = (count: number) => Array.from({ length: count }, (_, i) => [`x-${i}`, ''] as const)
    const most = 500 - bearer('ada').headers.length
    expect(await guard.renew(bearer('ada', lines(most)))).toMatchObject({ reason: 'connection-unknown' })
    expect(await guard.renew(bearer('ada', lines(most + 1)))).toMatchObject({ reason: 'handshake-headers' })
  })

  it('renews the connections of its caller, and those of nobody else', async () => {
    const { clock, guard, reasons, open } = setUp()
    const own = await open('ada.s1')
    const foreign = await open('eve.s2')
    clock.advance(1_000)
    expect(await guard.renew(bearer('ada'), own.id)).toEqual({ expiresIn: 60 })
    expect(await guard.renew(bearer('ada'), foreign.id)).toMatchObject({
      reason: 'identity-changed',
      code: 'forbidden',
    })
    expect(await guard.renew(bearer('ada'), 'none')).toMatchObject({ reason: 'connection-unknown', code: 'notFound' })
    expect(reasons).toEqual(['identity-changed', 'connection-unknown'])
    expect(foreign.expiresAt).toBe(clock.now() + 59_000)
    expect(guard.connections.size).toBe(2)
  })

  it('tells of a logout token that it refuses, and of none that it takes', async () => {
    const { clock, guard, reasons } = setUp()
    const routes = createRoutes(guard, {
      path: '/ws',
      logoutToken: async (token) =>
        token === 'good'
          ? { issuer: 'https://idp.example', at: clock.now(), session: 's1' }
          : rejected('token-signature'),
    })
    const logOut = async (token: string) => {
      const body = new URLSearchParams({ logout_token: token })
      return (await routes.fetch(new Request('http://test/ws/backchannel-logout', { method: 'POST', body })))?.status
    }
    expect(await logOut('good')).toBe(200)
    expect(reasons).toEqual([])
    expect(await logOut('forged')).toBe(400)
    expect(reasons).toEqual(['token-signature'])
  })
})
