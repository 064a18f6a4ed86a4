import { encodeBearer } from '@sallyport/protocol'
import {
  ConfigurationError,
  cookie,
  createGuard,
  firstMessage,
  type GuardEvent,
  type Handshake,
  header,
  type Identity,
  query,
  rejected,
  subprotocol,
  ticket,
  UnavailableError,
  type Verdict,
  type Verifier,
} from '@sallyport/server'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testClock } from '../../support/clock.js'
import { allMethods, guardOfAll, origin, verifyGood } from '../../support/guard.js'
import { anyHandshake, type HandshakeChanges, type HeaderLine, handshake } from '../../support/handshake.js'
import { held } from '../../support/held.js'

const verify = verifyGood
const foreign: HeaderLine = ['origin', 'https://evil.example']
const api: HeaderLine = ['origin', 'https://api.example.com']
const own: HeaderLine = ['origin', origin]
const bearer = (credential: string): HeaderLine => ['authorization', `Bearer ${credential}`]
const session = (credential: string): HeaderLine => ['cookie', `session=${credential}`]
const offered = (credential: string): HeaderLine => ['sec-websocket-protocol', `app.v1, ${encodeBearer(credential)}`]

const outcome = (verdict: Verdict): string => {
  if (verdict.type === 'accept') return `${verdict.identity.id} by ${verdict.method}`
  return verdict.type === 'refuse' ? verdict.reason : verdict.type
}

/** A guard of all methods but the first message, after which no credential is a refusal. */
const strictGuard = (verifier?: Verifier<Identity>) => {
  const { accept, ...options } = allMethods(verifier)
  return createGuard({ ...options, accept: accept.slice(0, -1) })
}

describe('the decision', () => {
  const oneWayIn: [string, Partial<Handshake>, string][] = [
    ['a query token', { target: '/ws?token=good-ada' }, 'ada by query'],
    ['a bearer', { headers: [bearer('good-ada')] }, 'ada by header'],
    ['a cookie of an allowed page', { headers: [session('good-ada'), own] }, 'ada by cookie'],
    ['a subprotocol', { headers: [offered('good-ada')] }, 'ada by subprotocol'],
    ['a first message', { message: 'good-ada' }, 'ada by message'],
    ['nothing', {}, 'await'],
  ]

  it.each(oneWayIn)('takes %s', async (_, changes, expected) => {
    expect(outcome(await guardOfAll().decide(handshake(changes)))).toBe(expected)
  })

  it('is a verdict with what the verifier said', async () => {
    const clock = testClock()
    const verified = {
      identity: { id: 'ada', roles: ['admin'] },
      expiresAt: 86_400_005,
      session: 's',
      token: 't',
      issuedAt: 5,
    }
    const decide = (verifier: Verifier<Identity>) =>
      createGuard({ accept: [header({ verify: verifier })], clock }).decide(handshake({ headers: [bearer('x')] }))
    expect(await decide(() => verified)).toEqual({
      type: 'accept',
      method: 'header',
      ...verified,
      vouchedAt: clock.now(),
    })
    expect(await decide(() => ({ identity: { id: 'ada' } }))).toEqual({
      type: 'accept',
      method: 'header',
      identity: { id: 'ada' },
      vouchedAt: clock.now(),
    })
  })

  describe('only what is absent falls through', () => {
    const cases: [string, Partial<Handshake>, string][] = [
      [
        'a bad explicit credential beside a good cookie',
        { headers: [bearer('bad'), session('good-ada'), own] },
        'credential-unknown',
      ],
      [
        'a malformed one beside a good cookie',
        { headers: [['authorization', 'Basic x'], session('good-ada'), own] },
        'credential-malformed',
      ],
      [
        'a bad query token beside a good cookie',
        { target: '/ws?token=bad', headers: [session('good-ada'), own] },
        'credential-unknown',
      ],
      [
        'a good explicit credential beside a bad cookie',
        { headers: [bearer('good-ada'), session('bad'), own] },
        'ada by header',
      ],
      [
        'a good explicit credential beside another good cookie',
        { headers: [bearer('good-ada'), session('good-eve'), own] },
        'ada by header',
      ],
      [
        'a good first message beside a bad cookie',
        { headers: [session('bad'), own], message: 'good-ada' },
        'ada by message',
      ],
      [
        'a bad first message beside a good cookie',
        { headers: [session('good-ada'), own], message: 'bad' },
        'credential-unknown',
      ],
      ['a stale cookie', { headers: [session('bad'), own] }, 'await'],
      [
        'a malformed cookie',
        { headers: [['cookie', 'session=good-ada; session=good-eve'], own] },
        'credential-malformed',
      ],
      ['a bad bearer', { headers: [bearer('bad')] }, 'credential-unknown'],
    ]

    it.each(cases)('%s', async (_, changes, expected) => {
      expect(outcome(await guardOfAll().decide(handshake(changes)))).toBe(expected)
    })

    it('a stale cookie is refused when no first message may follow', async () => {
      const stale = handshake({ headers: [session('bad'), own] })
      expect(outcome(await strictGuard().decide(stale))).toBe('credential-unknown')
    })

    it('a cookie that could not be looked at does not give way to the first message', async () => {
      const guard = guardOfAll(() => {
        throw new UnavailableError('down')
      })
      expect(outcome(await guard.decide(handshake({ headers: [session('good-ada'), own] })))).toBe(
        'dependency-unavailable',
      )
    })
  })

  describe('two explicit credentials are refused, and none of them is verified', () => {
    const ways: [string, Partial<Handshake>][] = [
      ['ticket', { target: `/ws?ticket=${'a'.repeat(43)}` }],
      ['query', { target: '/ws?token=good-ada' }],
      ['header', { headers: [bearer('good-ada')] }],
      ['subprotocol', { headers: [offered('good-ada')] }],
    ]
    const pairs = ways.flatMap((one, i) => ways.slice(i + 1).map((other) => [one, other] as const))

    it.each(pairs)('%s', async ([, one], [, other]) => {
      let calls = 0
      const guard = guardOfAll((credential, context) => {
        calls++
        return verify(credential, context)
      })
      const queries = [one, other].flatMap(({ target }) => (target ? [target.slice('/ws?'.length)] : []))
      const both = handshake({
        target: ['/ws', queries.join('&')].filter(Boolean).join('?'),
        headers: [...(one.headers ?? []), ...(other.headers ?? [])],
      })
      expect(outcome(await guard.decide(both))).toBe('credentials-conflict')
      expect(calls).toBe(0)
      if (one.target?.includes('ticket')) return
      expect((await guard.decide(handshake(one))).type).toBe('accept')
    })
  })

  describe('the origin', () => {
    const cases: [string, Partial<Handshake>, string][] = [
      ['a foreign page with a cookie', { headers: [session('good-ada'), foreign] }, 'origin-not-allowed'],
      ['a foreign page with a token', { target: '/ws?token=good-ada', headers: [foreign] }, 'origin-not-allowed'],
      ['a foreign page with a subprotocol', { headers: [offered('good-ada'), foreign] }, 'origin-not-allowed'],
      ['a foreign page with nothing', { headers: [foreign] }, 'origin-not-allowed'],
      ['an own page with a token', { target: '/ws?token=good-ada', headers: [own] }, 'ada by query'],
      ['no page with a token', { target: '/ws?token=good-ada' }, 'ada by query'],
      ['no page with a cookie', { headers: [session('good-ada')] }, 'origin-missing'],
      ['what no page can send', { headers: [bearer('good-ada'), api] }, 'ada by header'],
      ['what only a proxy could have made of it', { headers: [bearer('good-ada'), foreign] }, 'origin-not-allowed'],
      ['what no page can send, malformed', { headers: [['authorization', 'Basic x'], foreign] }, 'origin-not-allowed'],
      [
        'a page that the browser calls cross-site',
        { headers: [session('good-ada'), own, ['sec-fetch-site', 'cross-site']] },
        'fetch-metadata',
      ],
      [
        'a page that the browser calls same-site',
        { headers: [session('good-ada'), own, ['sec-fetch-site', 'same-site']] },
        'ada by cookie',
      ],
    ]

    it.each(cases)('%s', async (_, changes, expected) => {
      expect(outcome(await guardOfAll().decide(handshake(changes)))).toBe(expected)
    })

    it('is asked of nobody when the guard has none', async () => {
      const guard = createGuard({ accept: [query({ verify })] })
      expect(outcome(await guard.decide(handshake({ target: '/ws?token=good-ada', headers: [foreign] })))).toBe(
        'ada by query',
      )
    })

    it('is refused twice in a request', async () => {
      const guard = guardOfAll()
      const twice = { ...handshake({ target: '/ws?token=good-ada' }), headers: [...handshake().headers, own, own] }
      expect(outcome(await guard.decide(twice))).toBe('handshake-repeated')
    })
  })
})

describe('how it refuses', () => {
  const bad = (headers: HeaderLine[]) => handshake({ target: '/ws?token=bad', headers })
  const cases: ['status' | 'close' | 'client' | undefined, string, HeaderLine[], 'status' | 'close'][] = [
    [undefined, 'a browser', [own], 'close'],
    [undefined, 'a program', [], 'status'],
    ['client', 'a browser', [own], 'close'],
    ['client', 'a program', [], 'status'],
    ['client', 'the WebSocket of Node.js', [['sec-fetch-mode', 'websocket']], 'close'],
    ['status', 'the WebSocket of Node.js', [['sec-fetch-mode', 'websocket']], 'status'],
    ['status', 'a browser', [own], 'status'],
    ['status', 'a program', [], 'status'],
    ['close', 'a browser', [own], 'close'],
    ['close', 'a program', [], 'close'],
  ]

  it.each(cases)('refuseBy %s: %s', async (refuseBy, _, headers, by) => {
    const guard = createGuard({ ...allMethods(), ...(refuseBy && { refuseBy }) })
    expect(await guard.decide(bad(headers))).toMatchObject({ type: 'refuse', by })
  })

  it.each<[string, HandshakeChanges]>([
    ['a foreign origin', { headers: [session('good-ada'), foreign] }],
    ['a malformed handshake', { without: ['host'], headers: [own] }],
    ['two credentials', { target: '/ws?token=good-ada', headers: [offered('good-ada'), own] }],
    ['a malformed credential', { target: '/ws?token=', headers: [own] }],
    ['cross-site', { headers: [session('good-ada'), own, ['sec-fetch-site', 'cross-site']] }],
  ])('always by status: %s', async (_, changes) => {
    const guard = createGuard({ ...allMethods(), refuseBy: 'close' })
    expect(await guard.decide(handshake(changes))).toMatchObject({ type: 'refuse', by: 'status' })
  })

  it.each([
    ['a dependency that is down', new UnavailableError('down'), 'unavailable', 'dependency-unavailable'],
    ['a bug', new TypeError('bug'), 'internal', 'internal-error'],
    ['nothing at all', undefined, 'internal', 'internal-error'],
  ])('tells apart %s', async (_, error, code, reason) => {
    const failing: Verifier<Identity> = () => {
      throw error
    }
    const guard = createGuard({ accept: [header({ verify: failing })] })
    const events: GuardEvent[] = []
    guard.subscribe((event) => events.push(event))
    const verdict = await guard.decide(handshake({ headers: [bearer('x')] }))
    expect(verdict).toEqual({ type: 'refuse', reason, code, by: 'status', error })
    expect(events).toEqual([
      {
        type: 'refused',
        id: expect.any(String),
        reason,
        path: '/ws',
        address: '192.0.2.1',
        ...(error !== undefined && { error }),
      },
    ])
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a string', 'ada'],
    ['no identity', {}],
    ['an identity without an id', { identity: {} }],
    ['an id that is empty', { identity: { id: '' } }],
    ['an id that is a number', { identity: { id: 7 } }],
    ['an end that is no number', { identity: { id: 'ada' }, expiresAt: Number.NaN }],
    ['an end that is infinite', { identity: { id: 'ada' }, expiresAt: Number.POSITIVE_INFINITY }],
    ['an end that is a date', { identity: { id: 'ada' }, expiresAt: new Date() }],
  ])('believes no verifier that answers %s', async (_, answer) => {
    for (const verifier of [() => answer, async () => answer]) {
      const guard = createGuard({ accept: [header({ verify: verifier as never })] })
      const errors: unknown[] = []
      guard.subscribe((event) => event.type === 'refused' && errors.push(event.error))
      expect(outcome(await guard.decide(handshake({ headers: [bearer('x')] })))).toBe('internal-error')
      expect(errors).toEqual([expect.any(TypeError)])
    }
  })

  it('waits for a verifier as long as it is told, and drops what comes after', async () => {
    const clock = testClock()
    const { verify: heldVerify, asked, release } = held()
    const guard = createGuard({ accept: [header({ verify: heldVerify })], verifyTimeout: 200, clock })
    const decision = guard.decide(handshake({ headers: [bearer('good-ada')] }))
    await asked
    clock.advance(200)
    expect(outcome(await decision)).toBe('dependency-unavailable')
    release()
    expect(clock.pending).toBe(0)
    expect(outcome(await guard.decide(handshake({ headers: [bearer('good-ada')] })))).toBe('ada by header')
  })

  it('refuses a query token that lives longer than a minute, unless told otherwise', async () => {
    const lives =
      (ms: number | undefined): Verifier<Identity> =>
      (_, { now }) => ({
        identity: { id: 'ada' },
        issuedAt: now,
        ...(ms !== undefined && { expiresAt: now + ms }),
      })
    const decide = async (ms: number | undefined, dangerouslyAllowLongLived = false) =>
      outcome(
        await createGuard({ accept: [query({ verify: lives(ms), dangerouslyAllowLongLived })] }).decide(
          handshake({ target: '/ws?token=x' }),
        ),
      )
    expect(await decide(60_000)).toBe('ada by query')
    expect(await decide(60_001)).toBe('credential-lifetime')
    expect(await decide(undefined)).toBe('credential-lifetime')
    expect(await decide(60_001, true)).toBe('ada by query')
  })
})

describe('what it tells of', () => {
  it('each refusal once, and no wait', async () => {
    const guard = guardOfAll()
    const events: GuardEvent[] = []
    const leave = guard.subscribe((event) => events.push(event))
    await guard.decide(handshake({ target: '/ws?token=bad&room=1' }))
    expect(events).toEqual([
      { type: 'refused', id: expect.any(String), reason: 'credential-unknown', path: '/ws', address: '192.0.2.1' },
    ])
    await guard.decide(handshake())
    await guard.decide(handshake({ target: '/ws?token=good-ada' }))
    expect(events).toHaveLength(1)
    leave()
    await guard.decide(handshake({ target: '/ws?token=bad' }))
    expect(events).toHaveLength(1)
  })
})

describe('its options', () => {
  const origins = [origin]
  const bad: [string, () => unknown][] = [
    ['no method', () => createGuard({ accept: [] })],
    ['a method twice', () => createGuard({ accept: [header({ verify }), header({ verify })] })],
    ['two tickets', () => createGuard({ accept: [ticket(), ticket()] })],
    ['a cookie without origins', () => createGuard({ accept: [cookie({ name: 'a', verify })] } as never)],
    ['no origins', () => createGuard({ accept: [cookie({ name: 'a', verify })], origins: [] })],
    ['an origin that is none', () => createGuard({ accept: [header({ verify })], origins: ['*'] })],
    ['a subprotocol method without protocols', () => createGuard({ accept: [subprotocol({ verify })] })],
    ['a protocol that is none', () => createGuard({ accept: [header({ verify })], protocols: ['a b'] })],
    ['two protocols in one', () => createGuard({ accept: [header({ verify })], protocols: ['a,b'] })],
    ['a protocol that is ours', () => createGuard({ accept: [header({ verify })], protocols: [encodeBearer('x')] })],
    ['a cookie name that is none', () => cookie({ name: 'a b', verify })],
    ['a cookie without a name', () => cookie({ name: '', verify })],
    ['a ticket that lives too long', () => createGuard({ accept: [ticket({ expiresIn: 61 })] })],
  ]

  it.each(bad)('may not hold %s', (_, create) => {
    expect(create).toThrow(ConfigurationError)
  })

  const good: [string, () => unknown][] = [
    ['one method', () => createGuard({ accept: [header({ verify })] })],
    [
      'two cookies',
      () => createGuard({ accept: [cookie({ name: 'a', verify }), cookie({ name: 'b', verify })], origins }),
    ],
    ['a subprotocol with protocols', () => createGuard({ accept: [subprotocol({ verify })], protocols: ['a'] })],
    ['a first message', () => createGuard({ accept: [firstMessage({ verify })] })],
  ]

  it.each(good)('may hold %s', (_, create) => {
    expect(create).not.toThrow()
  })
})

describe('any handshake at all', () => {
  it('gets a verdict, and never throws', async () => {
    const guard = guardOfAll()
    await fc.assert(
      fc.asyncProperty(anyHandshake, async (any) => {
        expect(['accept', 'await', 'refuse']).toContain((await guard.decide(any)).type)
        await guard.issueTicket(any, '/ws')
      }),
      { numRuns: 1_000 },
    )
  })

  it('is accepted only with a credential that a verifier has found good', async () => {
    let presented: string[] = []
    const guard = guardOfAll((credential, context) => {
      presented.push(credential)
      return verify(credential, context)
    })
    await fc.assert(
      fc.asyncProperty(anyHandshake, async (any) => {
        presented = []
        const verdict = await guard.decide(any)
        expect(presented.length).toBeLessThanOrEqual(1)
        if (verdict.type === 'accept') expect(presented[0]).toBe(`good-${verdict.identity.id}`)
      }),
      { numRuns: 1_000 },
    )
  })

  it('is refused by all when the verifier refuses all', async () => {
    const guard = strictGuard(() => rejected('credential-unknown'))
    await fc.assert(
      fc.asyncProperty(anyHandshake, async (any) => {
        expect((await guard.decide(any)).type).toBe('refuse')
      }),
      { numRuns: 1_000 },
    )
  })
})
