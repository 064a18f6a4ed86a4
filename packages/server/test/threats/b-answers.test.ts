import {
  createGuard,
  createRoutes,
  header,
  type Identity,
  type LogoutVerifier,
  memoryStore,
  query,
  session,
  type Verifier,
} from '@sallyport/server'
import { jwt } from '@sallyport/server/jwt'
import { testClock } from '@sallyport/server/testing'
import { describe, expect, it } from 'vitest'
import { nextTurn } from '../support/deferred.js'
import { handshake } from '../support/handshake.js'
import { live } from '../support/live.js'
import { hmac, now, rules, secret, tokenBy } from '../support/tokens.js'

const identity = { id: 'ada' }

/** What a guard makes of a verifier's answer, and what its events say. */
async function decide(answer: unknown, wrap: (verify: Verifier<Identity>) => Verifier<Identity> = (verify) => verify) {
  const verify = wrap((() => answer) as unknown as Verifier<Identity>)
  const guard = createGuard({ clock: testClock(now), accept: [header({ verify })] })
  const errors: unknown[] = []
  guard.subscribe((event) => event.type === 'refused' && errors.push(event.error))
  const verdict = await guard.decide(handshake({ headers: [['authorization', 'Bearer secret']] }))
  return { verdict, said: errors.map((error) => (error instanceof TypeError ? error.message : error)).join() }
}

const refusal = { type: 'refuse', reason: 'internal-error', code: 'internal' }

describe('B32 what a verifier answers is looked at in every field', () => {
  it.each<[string, unknown, unknown, string]>([
    ['identity.id', { identity: { id: 7 } }, { identity }, 'a number'],
    ['identity.id', { identity: { id: '' } }, { identity }, 'an empty string'],
    ['identity.id', { identity: 'ada' }, { identity }, 'undefined'],
    ['identity.id', { identity: null }, { identity }, 'undefined'],
    ['identity.id', {}, { identity }, 'undefined'],
    [
      'identity.issuer',
      { identity: { ...identity, issuer: 7 } },
      { identity: { ...identity, issuer: 'i1' } },
      'a number',
    ],
    ['identity.issuer', { identity: { ...identity, issuer: null } }, { identity }, 'null'],
    [
      'identity.tenant',
      { identity: { ...identity, tenant: [] } },
      { identity: { ...identity, tenant: 'n1' } },
      'an array',
    ],
    ['identity.tenant', { identity: { ...identity, tenant: '' } }, { identity }, 'an empty string'],
    ['session', { identity, session: 7 }, { identity, session: 's1' }, 'a number'],
    ['session', { identity, session: '' }, { identity }, 'an empty string'],
    ['session', { identity, session: null }, { identity }, 'null'],
    ['token', { identity, token: { jti: 'secret' } }, { identity, token: 't1' }, 'an object'],
    ['expiresAt', { identity, expiresAt: 'secret' }, { identity, expiresAt: now + 1 }, 'a string'],
    ['expiresAt', { identity, expiresAt: null }, { identity }, 'null'],
    ['expiresAt', { identity, expiresAt: new Date(now) }, { identity, expiresAt: now + 1 }, 'an object'],
    [
      'issuedAt',
      { identity, issuedAt: Number.NaN },
      { identity, issuedAt: now, expiresAt: now + 1 },
      'a number that is not finite',
    ],
    ['issuedAt', { identity, issuedAt: `${now}` }, { identity, issuedAt: now, expiresAt: now + 1 }, 'a string'],
    ['issuedAt', { identity, issuedAt: Number.POSITIVE_INFINITY }, { identity }, 'a number that is not finite'],
    ['lookedUpAt', { identity, lookedUpAt: true }, { identity, lookedUpAt: now }, 'a boolean'],
  ])('B32 %s: %j', async (field, answer, control, kind) => {
    for (const given of [answer, Promise.resolve(answer)]) {
      const { verdict, said } = await decide(given)
      expect(verdict).toMatchObject(refusal)
      expect(said).toContain(`${field} being ${kind};`)
      expect(said).not.toContain('secret')
    }
    expect((await decide(control)).verdict).toMatchObject({ type: 'accept', identity })
  })

  it.each<[unknown, string]>([
    [undefined, 'undefined'],
    [null, 'null'],
    ['secret', 'a string'],
    [true, 'a boolean'],
    [7, 'a number'],
  ])('B32 that is no answer at all: %j', async (answer, kind) => {
    for (const given of [answer, Promise.resolve(answer)]) {
      const { verdict, said } = await decide(given)
      expect(verdict).toMatchObject(refusal)
      expect(said).toContain(`answered ${kind};`)
      expect(said).not.toContain('secret')
    }
  })

  it.each([undefined, 'because', 'internal-error', 'credentials-conflict', 'origin-missing', 'constructor', 7])(
    'B32 a reason that no verifier may give: %j',
    async (reason) => {
      const { verdict, said } = await decide({ rejected: reason })
      expect(verdict).toMatchObject(refusal)
      expect(said).toContain('rejected being')
      expect((await decide({ rejected: 'token-key' })).verdict).toMatchObject({ reason: 'token-key' })
    },
  )

  it('B32 by a query as well, which looks at it first', async () => {
    const shortLived = (verify: Verifier<Identity>) => query({ verify }).verify
    for (const answer of [undefined, 'secret', { identity, issuedAt: Number.NaN, expiresAt: now + 1 }]) {
      const { verdict, said } = await decide(answer, shortLived)
      expect(verdict).toMatchObject(refusal)
      expect(said).not.toContain('secret')
    }
    const good = { identity, issuedAt: now, expiresAt: now + 1 }
    expect((await decide(good, shortLived)).verdict).toMatchObject({ type: 'accept' })
  })

  it.each<[unknown, string]>([
    [{ identity, expiresAt: null }, 'expiresAt being null'],
    [{ identity, expiresAt: new Date(now - 1) }, 'expiresAt being an object'],
    [{ identity: { id: 7 } }, 'identity.id being a number'],
    [{ identity, session: 7 }, 'session being a number'],
    [true, 'identity.id being undefined'],
  ])('B32 what a look-up answers: %j', async (row, message) => {
    const { verdict, said } = await decide(row, (find) => session(find as never))
    expect(verdict).toMatchObject(refusal)
    expect(said).toContain(message)
    expect((await decide({ identity }, (find) => session(find as never))).verdict).toMatchObject({ type: 'accept' })
  })

  it.each<[unknown, string]>([
    [{ id: 7 }, 'identity.id being a number'],
    [{ id: 'ada', tenant: 7 }, 'identity.tenant being a number'],
    [Promise.resolve({ id: 'ada' }), 'identity.id being undefined'],
    ['ada', 'identity.id being undefined'],
  ])('B32 what identify answers: %j', async (identified, message) => {
    const decideToken = async (identify: () => Identity) => {
      const verify = jwt({ secret, algorithms: ['HS256'], ...rules, identify })
      const guard = createGuard({ clock: testClock(now), accept: [header({ verify })] })
      const errors: string[] = []
      guard.subscribe((event) => event.type === 'refused' && errors.push(`${event.error}`))
      const verdict = await guard.decide(handshake({ headers: [['authorization', `Bearer ${tokenBy(hmac)}`]] }))
      return { verdict, said: errors.join() }
    }
    const { verdict, said } = await decideToken(() => identified as Identity)
    expect(verdict).toMatchObject(refusal)
    expect(said).toContain(message)
    expect((await decideToken(() => identity)).verdict).toMatchObject({ type: 'accept', identity })
  })
})

describe('B32 what a store answers to a ticket', () => {
  const good = (key: string) => ({ hash: key, binding: { path: '/ws' }, holder: { identity, vouchedAt: 0 } })

  it.each<[string, (key: string) => unknown]>([
    ['a text', () => 'secret{'],
    ['null', () => null],
    ['no binding', (key) => ({ ...good(key), binding: undefined })],
    ['no path', (key) => ({ ...good(key), binding: {} })],
    ['no holder', (key) => ({ ...good(key), holder: undefined })],
    ['a rejection', (key) => ({ ...good(key), holder: { rejected: 'credential-unknown' } })],
    ['no identity', (key) => ({ ...good(key), holder: {} })],
    ['a time that is none', (key) => ({ ...good(key), holder: { identity, vouchedAt: 0, issuedAt: 'now' } })],
    ['no time', (key) => ({ ...good(key), holder: { identity } })],
  ])('B32 %s', async (_, stored) => {
    let answers = stored
    const { server, present, reasons, events, seen } = live({
      store: (clock) => ({
        ...memoryStore({ clock }),
        take: (key) => answers(key.slice('ticket:'.length)),
      }),
    })
    await expect(server.connect(await present('good-e30', 'ticket'))).rejects.toMatchObject({ status: 500 })
    expect(reasons()).toEqual(['internal-error'])
    const [error] = events.flatMap((event) => (event.type === 'refused' ? [`${event.error}`] : []))
    expect(error).toContain('what is no ticket')
    expect(error).not.toContain('secret')
    answers = good
    await server.connect(await present('good-e30', 'ticket'))
    expect(seen).toEqual(['handler ada'])
  })
})

describe('B32 what a logout verifier answers', () => {
  const logout = { issuer: 'i1', at: now, session: 's1' }

  it.each<[unknown, RegExp]>([
    [undefined, /answered undefined/],
    ['secret', /answered a string/],
    [{ ...logout, session: 7 }, /session being a number/],
    [{ ...logout, user: '' }, /user being an empty string/],
    [{ ...logout, at: 'now' }, /at being a string/],
    [{ ...logout, issuer: {} }, /issuer being an object/],
    [{ ...logout, at: undefined }, /without issuer or at/],
    [{ ...logout, session: undefined }, /neither session nor user/],
    [{ rejected: 'because' }, /rejected being a string/],
  ])('B32 %j ends nothing, and is not answered 200', async (answer, message) => {
    const { guard, events, connect } = live()
    await connect({ session: 's1' })
    const logOut = async (verify: unknown) => {
      const routes = createRoutes(guard, { path: '/ws', logoutToken: verify as LogoutVerifier })
      const body = new URLSearchParams({ logout_token: 'x' })
      const request = new Request('http://test/ws/backchannel-logout', { method: 'POST', body })
      return (await routes.fetch(request))?.status
    }
    expect(await logOut(async () => answer)).not.toBe(200)
    expect(guard.connections.size).toBe(1)
    const [error] = events.flatMap((event) => (event.type === 'refused' ? [event.error] : []))
    expect(error).toBeInstanceOf(TypeError)
    expect(`${error}`).toMatch(message)
    expect(`${error}`).not.toContain('secret')
    expect(await logOut(async () => logout)).toBe(200)
    expect(guard.connections.size).toBe(0)
  })
})

const fail = (): never => {
  throw new Error('no')
}

/** What can be waited for like a promise, as query builders answer it. */
const thenable = (then: unknown) => Object.defineProperty({ identity }, 'then', { value: then })

describe('B48 an answer is believed as it was looked at', () => {
  it('B48 where a field is computed anew each time that it is read', async () => {
    const drifting = (first: unknown, then: unknown) => {
      let reads = 0
      const next = () => (reads++ === 0 ? first : then)
      return Object.defineProperty({ identity, issuedAt: now }, 'expiresAt', { get: next })
    }
    const { verdict } = await decide(drifting(now + 1, Number.NaN))
    expect(verdict).toMatchObject({ type: 'accept', expiresAt: now + 1 })
    expect((await decide(drifting(Number.NaN, now + 1))).verdict).toMatchObject(refusal)
  })

  it.each<[string, () => unknown]>([
    ['a getter that throws', () => Object.defineProperty({}, 'identity', { get: fail })],
    ['a proxy that throws', () => new Proxy({ identity }, { has: fail })],
    [
      'a proxy that is revoked',
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {})
        revoke()
        return proxy
      },
    ],
  ])('B48 %s is a bug, and ends nothing', async (_, make) => {
    expect((await decide(make())).verdict).toMatchObject(refusal)
    expect((await decide(new Proxy({ identity }, {}))).verdict).toMatchObject({ type: 'accept', identity })
  })

  it('B48 what answers a promise that never settles is waited for as long as a verifier may take', async () => {
    const clock = testClock(now)
    const answers = (value: unknown) => thenable((resolve: (value: unknown) => void) => resolve(value))
    const decideBy = (answer: unknown) => {
      const guard = createGuard({ clock, accept: [header({ verify: (() => answer) as never })] })
      return guard.decide(handshake({ headers: [['authorization', 'Bearer secret']] }))
    }
    expect(await decideBy(answers({ identity }))).toMatchObject({ type: 'accept', identity })
    const deciding = decideBy(answers(new Promise(() => {})))
    await nextTurn()
    clock.advance(5_000)
    expect(await deciding).toMatchObject({ type: 'refuse', reason: 'dependency-unavailable' })
  })
})
