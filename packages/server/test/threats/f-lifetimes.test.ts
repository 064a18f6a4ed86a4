import {
  type AnyMethod,
  cookie,
  createGuard,
  firstMessage,
  type GuardEvent,
  header,
  type Identity,
  introspection,
  memoryStore,
  query,
  type Session,
  type Store,
  session,
  subprotocol,
  ticket,
  type Verifier,
} from '@sallyport/server'
import { jwt } from '@sallyport/server/jwt'
import { testClock, testServer } from '@sallyport/server/testing'
import { describe, expect, it } from 'vitest'
import { deferred, nextTurn } from '../support/deferred.js'
import { origin } from '../support/guard.js'
import { startJsonServer } from '../support/json-server.js'
import { hmac, now, rules, secret, tokenBy } from '../support/tokens.js'

const second = 1_000
const day = 24 * 60 * 60 * second
const identity = { id: 'ada' }
const signed = { secret, algorithms: ['HS256'] as const, ...rules }

/** A guard whose header and cookie ask `verify`, and what its events say. */
function setUp(verify: Verifier<Identity>, life = {}) {
  const clock = testClock(now)
  const accept = [ticket(), header({ verify }), cookie({ name: 'session', verify })] as const
  const guard = createGuard({ clock, life, origins: [origin], accept })
  const refusals: Extract<GuardEvent, { type: 'refused' }>[] = []
  guard.subscribe((event) => event.type === 'refused' && refusals.push(event))
  const seen: string[] = []
  const server = testServer(guard, (_, { method }) => void seen.push(method), { clock })
  const headers = (credential: string) => ({ Authorization: `Bearer ${credential}` })
  const connect = (credential = 'key') => server.connect({ headers: headers(credential) })
  const askTicket = (credential = 'key') => server.fetch('/ws/ticket', { method: 'POST', headers: headers(credential) })
  const redeem = async (answer: Response) => {
    const { ticket } = (await answer.json()) as { ticket: string }
    return server.connect({ query: `ticket=${ticket}` })
  }
  const reasons = () => refusals.map(({ reason }) => reason)
  return { clock, guard, server, seen, refusals, reasons, connect, askTicket, redeem }
}

/** A token of that life, in seconds, issued so many seconds ago. */
const token = (life: number, ago = 0, changes = {}) =>
  tokenBy(hmac, { claims: { iat: now / second - ago, exp: now / second - ago + life, ...changes } })

describe('F22 what lives longer than a day', () => {
  it.each([7, 14, 30, 400])('F22 a session of %i days comes by cookie, by ticket and by renewal', async (days) => {
    const row: Session<Identity> = { identity, issuedAt: now - 2 * day, expiresAt: now + days * day, session: 's1' }
    const { server, seen, askTicket, redeem } = setUp(session(() => row))
    const cookies = { origin, headers: { Cookie: 'session=x' } }
    await server.connect(cookies)
    const request = { method: 'POST', headers: { ...cookies.headers, Origin: origin } }
    const bound = await server.fetch('/ws/ticket', request)
    expect(bound.status).toBe(201)
    const { ticket } = (await bound.json()) as { ticket: string }
    await server.connect({ origin, query: `ticket=${ticket}` })
    await redeem(await askTicket())
    expect((await server.fetch('/ws/renew', request)).status).toBe(200)
    expect(seen).toEqual(['cookie', 'ticket', 'ticket'])
  })

  it('F22 and a key without an end, whether it tells when it was issued or not', async () => {
    for (const issuedAt of [undefined, now - 400 * day]) {
      const { seen, connect, askTicket, redeem } = setUp(session(() => ({ identity, issuedAt })))
      await connect()
      await redeem(await askTicket())
      expect(seen).toEqual(['header', 'ticket'])
    }
  })

  it('F22 stays revoked for as long as it could be good', async () => {
    const row: Session<Identity> = { identity, issuedAt: now, expiresAt: now + 30 * day, session: 's1' }
    const { clock, guard, connect, reasons, seen } = setUp(session((value) => ({ ...row, session: value })))
    await guard.revoke({ session: 's1' })
    clock.advance(30 * day - second)
    // Every new one is an occasion to forget the old ones.
    await guard.revoke({ session: 'other' })
    await expect(connect('s1')).rejects.toMatchObject({ status: 401 })
    expect(reasons()).toEqual(['credential-revoked'])
    await connect('s2')
    expect(seen).toEqual(['header'])
  })

  it('F22 also through the leeway of clocks at its end', async () => {
    const life = 3_600
    const verify = jwt({ ...signed, maxLifetime: life, leeway: 60 })
    const { clock, guard, connect, reasons, askTicket } = setUp(verify)
    // By a clock that is a minute ahead.
    const ahead = (jti: string) => token(life, -60, { jti })
    await guard.revoke({ token: 't1' })
    clock.advance((life + 119) * second)
    await guard.revoke({ token: 'other' })
    await expect(connect(ahead('t1'))).rejects.toMatchObject({ status: 401 })
    expect(reasons()).toEqual(['credential-revoked'])
    expect((await askTicket(ahead('t2'))).status).toBe(201)
  })

  it('F22 comes as a token by one option, and is remembered by the same', async () => {
    const { clock, guard, connect, reasons, seen } = setUp(jwt({ ...signed, maxLifetime: (30 * day) / second }))
    await connect(token((30 * day) / second))
    await guard.revoke({ token: 'token-1' })
    clock.advance(30 * day - second)
    await guard.revoke({ token: 'other' })
    await expect(connect(token((30 * day) / second))).rejects.toMatchObject({ status: 401 })
    expect(reasons()).toEqual(['credential-revoked'])
    await connect(token((30 * day) / second, 0, { jti: 'token-2' }))
    expect(seen).toEqual(['header', 'header'])
  })

  it.each<[string, Verifier<Identity>, object, string]>([
    ['a token', jwt(signed), {}, 'maxLifetime 86400 s'],
    [
      'a token of a long-lived verifier',
      jwt({ ...signed, maxLifetime: 1e7 }),
      { revocationMemory: day },
      'life.revocationMemory 86400 s',
    ],
    [
      'what is read out of itself',
      () => ({ identity, issuedAt: now, expiresAt: now + 31 * day }),
      {},
      'lives 2678400 s, life.revocationMemory 2592000 s, no lookedUpAt',
    ],
    ['what has no end', () => ({ identity, issuedAt: now }), {}, 'lives without an end, life.revocationMemory'],
  ])(
    'F22 is refused where it could outlive its revocation, and says by which option: %s',
    async (_, verify, life, detail) => {
      const { connect, askTicket, refusals } = setUp(verify, life)
      await expect(connect(token(2 * 86_400))).rejects.toMatchObject({ status: 401 })
      expect((await askTicket(token(2 * 86_400))).status).toBe(401)
      for (const refusal of refusals) expect(refusal).toMatchObject({ reason: 'credential-lifetime' })
      expect(refusals[0]?.detail).toContain(detail)
      expect(refusals).toHaveLength(2)
    },
  )

  it.each<[string, Verifier<Identity>]>([
    ['a token of an hour', jwt(signed)],
    ['what is read out of itself', () => ({ identity, issuedAt: now, expiresAt: now + 30 * day })],
    ['what is looked up', () => ({ identity, issuedAt: now, expiresAt: now + 400 * day, lookedUpAt: now })],
    ['what is looked up and has no end', () => ({ identity, issuedAt: now, lookedUpAt: now })],
    ['what tells nothing', () => ({ identity })],
  ])('F22 and is not where it could not: %s', async (_, verify) => {
    const { connect, seen } = setUp(verify)
    await connect(token(3_600))
    expect(seen).toEqual(['header'])
  })

  const aJwt = jwt(signed)
  const own: Verifier<Identity> = () => ({ identity })
  it.each<[string, AnyMethod[], object, number]>([
    ['the token of a jwt', [header({ verify: aJwt })], {}, day],
    [
      'that of two',
      [header({ verify: aJwt }), subprotocol({ verify: jwt({ ...signed, maxLifetime: 7 * 86_400 }) })],
      {},
      7 * day,
    ],
    ['any by query', [query({ verify: aJwt, dangerouslyAllowLongLived: true })], {}, day],
    [
      'what verifiers of other kinds let in',
      [header({ verify: aJwt }), firstMessage({ verify: session(() => null) })],
      {},
      30 * day,
    ],
    [
      'what a verifier says',
      [header({ verify: Object.assign(() => ({ identity }), { maxLifetime: 2 * day }) })],
      {},
      2 * day,
    ],
    ['no less than a node may be cut off', [query({ verify: own })], {}, 300_000],
    ['as is told', [query({ verify: own })], { maxStaleness: day }, day],
    ['what the option says', [header({ verify: own })], { revocationMemory: 3 * day }, 3 * day],
  ])('F22 a revocation is remembered as long as %s', async (_, accept, life, expected) => {
    const ttls: number[] = []
    const clock = testClock(now)
    const memory = memoryStore({ clock })
    const store: Store = {
      ...memory,
      append(entry, ttl) {
        ttls.push(ttl)
        return memory.append(entry, ttl)
      },
    }
    const guard = createGuard({ clock, store, life, origins: [origin], protocols: ['app.v1'], accept })
    await guard.revoke({ user: 'ada' })
    // A minute for the clock at the issue, and one at the end.
    expect(ttls).toEqual([expected + 120 * second])
  })

  it.each([Number.NaN, -1, '1 day', Number.POSITIVE_INFINITY])(
    'F22 does not start with a life that is none: %j',
    (maxLifetime) => {
      const verify: Verifier<Identity> = Object.assign(own.bind(undefined), { maxLifetime: maxLifetime as number })
      expect(() => createGuard({ accept: [header({ verify })] })).toThrow('maxLifetime of a verifier')
      createGuard({ accept: [header({ verify: own })] })
    },
  )
})

describe('F23 a token whose iat is ahead of the clock', () => {
  const ahead = () => token(3_600, -4)

  it('F23 is reached by a revocation of its user: live, by a ticket, and presented again', async () => {
    const { clock, guard, connect, askTicket, redeem, reasons } = setUp(jwt(signed))
    const client = await connect(ahead())
    const answer = await askTicket(ahead())
    clock.advance(second)
    expect(await guard.revoke({ user: 'ada' })).toMatchObject({ closed: 1 })
    expect((await client.closed).code).toBe(4010)
    for (const seconds of [0, 1, 5]) {
      clock.advance(seconds * second)
      await expect(connect(ahead())).rejects.toMatchObject({ status: 401 })
    }
    await expect(redeem(answer)).rejects.toMatchObject({ status: 401 })
    expect(reasons()).toEqual(Array(4).fill('credential-revoked'))
    // Who logs in then is let in.
    await connect(token(3_600, -7))
    expect(guard.connections.size).toBe(1)
  })

  it('F23 and what another verifier says of the future is of now', async () => {
    const { clock, guard, connect } = setUp(() => ({ identity, issuedAt: now + day, expiresAt: now + 2 * day }))
    const client = await connect()
    await guard.revoke({ user: 'ada' })
    expect((await client.closed).code).toBe(4010)
    await expect(connect()).rejects.toMatchObject({ status: 401 })
    clock.advance(1)
    await connect()
  })
})

describe('F24 what is looked up is vouched for when it was looked up', () => {
  const opaque = async (claims = {}) => {
    const answer = { active: true, sub: 'ada', aud: rules.audience, ...claims }
    const server = await startJsonServer(answer)
    const options = { endpoint: server.url, clientId: 'chat', clientSecret: 'secret', ...rules }
    return { issuer: server, ...setUp(introspection({ ...options, maxAge: 10_000 })) }
  }

  it('F24 a remembered answer is of the past, until the issuer is asked again', async () => {
    const { clock, guard, connect, reasons, seen } = await opaque()
    await connect('opaque')
    clock.advance(second)
    expect(await guard.revoke({ user: 'ada' })).toMatchObject({ closed: 1 })
    clock.advance(second)
    await expect(connect('opaque')).rejects.toMatchObject({ status: 401 })
    expect(reasons()).toEqual(['credential-revoked'])
    clock.advance(8 * second)
    await connect('opaque')
    expect(seen).toEqual(['header', 'header'])
  })

  it('F24 and so is one that somebody else has asked for, before the revocation', async () => {
    const { issuer, clock, guard, connect, reasons } = await opaque()
    const [asked, released] = [deferred(), deferred()]
    issuer.answer = (response) => {
      asked.resolve()
      void released.promise.then(() => response.end(JSON.stringify({ active: true, sub: 'ada', aud: rules.audience })))
    }
    const first = connect('opaque')
    await asked.promise
    clock.advance(second)
    await guard.revoke({ user: 'ada' })
    clock.advance(second)
    // Joins the question of the first.
    const another = connect('opaque')
    await nextTurn()
    released.resolve()
    await expect(first).rejects.toMatchObject({ status: 401 })
    await expect(another).rejects.toMatchObject({ status: 401 })
    expect(reasons()).toEqual(['credential-revoked', 'credential-revoked'])
    expect(guard.connections.size).toBe(0)
  })

  it('F24 an opaque token without an end comes in', async () => {
    const { connect, seen } = await opaque({ iat: now / second - 10 })
    await connect('opaque')
    expect(seen).toEqual(['header'])
  })

  it('F24 what a look-up has remembered says since when', async () => {
    const found: Session<Identity> = { identity, lookedUpAt: now }
    const { clock, guard, connect, reasons } = setUp(session((value) => (value === 'kept' ? found : { identity })))
    clock.advance(second)
    await guard.revoke({ user: 'ada' })
    clock.advance(second)
    await expect(connect('kept')).rejects.toMatchObject({ status: 401 })
    await connect('asked')
    expect(reasons()).toEqual(['credential-revoked'])
  })

  it('F24 a ticket is of when its credential was looked up', async () => {
    const { clock, guard, askTicket, redeem, reasons, seen } = setUp(session(() => ({ identity })))
    const before = await askTicket()
    clock.advance(second)
    await guard.revoke({ user: 'ada' })
    clock.advance(second)
    await expect(redeem(before)).rejects.toMatchObject({ status: 401 })
    expect(reasons()).toEqual(['credential-revoked'])
    await redeem(await askTicket())
    expect(seen).toEqual(['ticket'])
  })
})
