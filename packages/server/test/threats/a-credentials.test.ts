import { type CodeName, codes, encodeBearer } from '@sallyport/protocol'
import {
  cookie,
  createGuard,
  firstMessage,
  type Guard,
  type Handshake,
  header,
  memoryStore,
  query,
  rejected,
  UnavailableError,
  type Verifier,
} from '@sallyport/server'
import { describe, expect, it, vi } from 'vitest'
import { allMethods, guardOfAll, guardOfHandshakes, origin, verifyGood } from '../support/guard.js'
import { type HandshakeChanges, type HeaderLine, handshake, withLine, withParameter } from '../support/handshake.js'
import { RawClient, type RawHeaders, rawHandshake, rawRequest } from '../support/raw.js'
import { expectAccepted, expectRefusal, expectTurnedAway } from '../support/refusal.js'
import { echo, startServer } from '../support/server.js'

/** How each explicit carrier puts a credential on a handshake. */
const explicit = {
  ticket: (base: Handshake, credential: string) => withParameter(base, `ticket=${credential}`),
  query: (base: Handshake, credential: string) => withParameter(base, `token=${credential}`),
  header: (base: Handshake, credential: string) => withLine(base, 'authorization', `Bearer ${credential}`),
  subprotocol: (base: Handshake, credential: string) =>
    withLine(base, 'sec-websocket-protocol', `app.v1, ${encodeBearer(credential)}`),
  message: (base: Handshake, credential: string) => ({
    ...base,
    message: credential,
  }),
}

type Explicit = keyof typeof explicit
type Presented = readonly [carrier: Explicit, credential: string]

/** A handshake that presents these credentials, as a value. */
const presenting = (presented: readonly Presented[], changes: HandshakeChanges = {}): Handshake =>
  presented.reduce((base, [carrier, credential]) => explicit[carrier](base, credential), handshake(changes))

/** The same over the wire. */
function rawOf(presented: readonly Presented[], headers: RawHeaders = {}): string {
  const { target, headers: lines } = presenting(presented, { without: handshake().headers.map(([name]) => name) })
  return rawHandshake(target, { ...headers, ...Object.fromEntries(lines) })
}

const carriers = Object.keys(explicit) as Explicit[]
const overHttp = carriers.filter((carrier) => carrier !== 'message')
const pairs = carriers.flatMap((one, i) => carriers.slice(i + 1).map((other) => [one, other] as const))

/** A credential of the right form that nobody issued. */
const bad = (carrier: Explicit) => (carrier === 'ticket' ? 'A'.repeat(43) : 'bad')

async function issue(guard: Guard): Promise<string> {
  const issued = await guard.issueTicket(handshake({ headers: [['authorization', 'Bearer good-ada']] }), '/ws')
  if (!('ticket' in issued)) throw new Error(issued.reason)
  return issued.ticket
}

/** A guard of all methods with a store and verifiers that tell whether they were asked. */
function observed(accepts: 'all' | 'handshakes' = 'all') {
  const store = memoryStore()
  const take = vi.spyOn(store, 'take')
  const verify = vi.fn(verifyGood)
  const verifyCookie = vi.fn(verifyGood)
  const { accept, ...options } = allMethods(verify)
  const methods = accept.map((method) =>
    method.name === 'cookie' ? cookie({ name: 'session', verify: verifyCookie }) : method,
  )
  const guard = createGuard({
    ...options,
    accept: methods.filter(({ name }) => accepts === 'all' || name !== 'message'),
    store,
  })
  return { guard, take, verify, verifyCookie }
}

/** A good credential of ada. */
const good = async (guard: Guard, carrier: Explicit) => (carrier === 'ticket' ? issue(guard) : 'good-ada')

describe('A: no credential', () => {
  it.each(['/ws', '/ws?', '/ws?room=1', '/ws?x=ticket'])('A01 refuses %s without a credential', async (target) => {
    const { port } = await startServer(guardOfHandshakes())
    await expectRefusal(port, rawHandshake(target), 401)
    await expectAccepted(port, rawHandshake(target, { Authorization: 'Bearer good-ada' }))
  })

  it('A01 refuses the route beside it too', async () => {
    const { port } = await startServer(guardOfHandshakes())
    const call = (headers: RawHeaders) =>
      rawRequest(
        port,
        rawHandshake('', { Connection: 'close', Upgrade: undefined, ...headers }, 'POST /ws/ticket HTTP/1.1'),
      )
    expect((await call({})).status).toBe(401)
    expect((await call({ Authorization: 'Bearer good-ada' })).status).toBe(201)
  })

  const broken: [string, number, Verifier][] = [
    [
      'throws',
      500,
      () => {
        throw new Error('a bug')
      },
    ],
    ['rejects', 500, async () => Promise.reject(new Error('a bug'))],
    ['rejects with nothing', 500, async () => Promise.reject(undefined)],
    ['says that a dependency is down', 503, async () => Promise.reject(new UnavailableError('down'))],
    ...[
      undefined,
      null,
      true,
      'ada',
      {},
      { identity: null },
      { identity: 'ada' },
      { identity: {} },
      { identity: { id: '' } },
      { identity: { id: 7 } },
      { identity: { id: 'ada' }, expiresAt: Number.NaN },
      { identity: { id: 'ada' }, expiresAt: '2030' },
      { identity: { id: 'ada' }, expiresAt: Number.POSITIVE_INFINITY },
    ].flatMap((answer): [string, number, Verifier][] => [
      [`answers ${JSON.stringify(answer)}`, 500, () => answer as never],
      [`promises ${JSON.stringify(answer)}`, 500, async () => answer as never],
    ]),
  ]

  it.each(broken)('A01 accepts nobody when a verifier %s: %i', async (_, status, verify) => {
    const onConnection = vi.fn(echo)
    const guard = createGuard({ accept: [header({ verify }), query({ verify: verifyGood })] })
    const { port } = await startServer(guard, onConnection)
    await expectRefusal(port, rawHandshake('/ws', { Authorization: 'Bearer good-ada' }), status)
    expect(onConnection).not.toHaveBeenCalled()
    await expectAccepted(port, rawHandshake('/ws?token=good-ada'))
  })

  it('A01 accepts nobody when the guard itself fails', async () => {
    const onConnection = vi.fn(echo)
    const guard = guardOfHandshakes()
    const decide = vi.spyOn(guard, 'decide').mockRejectedValueOnce(new Error('a bug'))
    const { port } = await startServer(guard, onConnection)
    const request = rawHandshake('/ws', { Authorization: 'Bearer good-ada' })
    expect((await rawRequest(port, request)).text).not.toContain('101')
    expect(onConnection).not.toHaveBeenCalled()
    await expectAccepted(port, request)
    expect(decide).toHaveBeenCalledTimes(2)
  })
})

describe('A: two credentials', () => {
  describe.each(pairs)('%s and %s', (one, other) => {
    it.each([
      ['both good', true, true],
      ['the first bad', false, true],
      ['the second bad', true, false],
      ['both bad', false, false],
    ])('A17 verifies neither and burns no ticket: %s', async (_, firstIsGood, secondIsGood) => {
      const { guard, take, verify } = observed()
      const first = [one, firstIsGood ? await good(guard, one) : bad(one)] as const
      const second = [other, secondIsGood ? await good(guard, other) : bad(other)] as const
      verify.mockClear()
      for (const both of [[first, second] as const, [second, first] as const]) {
        for (const headers of [[], [['origin', origin] as const]]) {
          expect(await guard.decide(presenting(both, { headers }))).toEqual({
            type: 'refuse',
            code: 'badRequest',
            reason: 'credentials-conflict',
            by: 'status',
            ...(both.some(([carrier]) => carrier === 'subprotocol') && { protocol: 'app.v1' }),
          })
        }
      }
      expect(verify).not.toHaveBeenCalled()
      expect(take).not.toHaveBeenCalled()
      expect(await guard.decide(presenting([first]))).toMatchObject({ type: firstIsGood ? 'accept' : 'refuse' })
      expect(await guard.decide(presenting([second]))).toMatchObject({ type: secondIsGood ? 'accept' : 'refuse' })
    })
  })

  it.each(pairs.filter(([, other]) => other !== 'message'))('A17 answers 400 to %s and %s', async (one, other) => {
    const { guard, take, verify } = observed('handshakes')
    const { port } = await startServer(guard)
    const first = [one, await good(guard, one)] as const
    const second = [other, await good(guard, other)] as const
    verify.mockClear()
    await expectRefusal(port, rawOf([first, second]), 400)
    await expectRefusal(port, rawOf([first, second], { Origin: origin }), 400)
    expect(verify).not.toHaveBeenCalled()
    expect(take).not.toHaveBeenCalled()
    await expectAccepted(port, rawOf([first]))
    await expectAccepted(port, rawOf([second]))
  })

  it.each(carriers)('A17 lets %s decide alone beside a cookie', async (carrier) => {
    const { guard, verifyCookie } = observed()
    const presented = [carrier, await good(guard, carrier)] as const
    const headers: HeaderLine[] = [
      ['cookie', 'session=good-eve'],
      ['origin', origin],
    ]
    expect(await guard.decide(presenting([presented], { headers }))).toMatchObject({
      type: 'accept',
      identity: { id: 'ada' },
    })
    expect(verifyCookie).not.toHaveBeenCalled()
    expect(await guard.decide(handshake({ headers }))).toMatchObject({ type: 'accept', identity: { id: 'eve' } })
  })

  it.each(overHttp)('A17 greets the user of %s, not the one of the cookie', async (carrier) => {
    const { guard, verifyCookie } = observed('handshakes')
    const { port } = await startServer(guard)
    const presented = [carrier, await good(guard, carrier)] as const
    const ambient = { Cookie: 'session=good-eve', Origin: origin }
    await expectAccepted(port, rawOf([presented], ambient), 'ada')
    expect(verifyCookie).not.toHaveBeenCalled()
    await expectAccepted(port, rawOf([], ambient), 'eve')
  })
})

describe('A: a bad credential', () => {
  const ambient: HeaderLine[] = [
    ['cookie', 'session=good-eve'],
    ['origin', origin],
  ]

  it.each(carriers)('A18 never falls back from %s to the cookie', async (carrier) => {
    const { guard, verifyCookie } = observed()
    const by = { type: 'refuse', code: 'unauthenticated', by: 'close' }
    expect(await guard.decide(presenting([[carrier, bad(carrier)]], { headers: ambient }))).toMatchObject(by)
    const withoutOrigin = presenting([[carrier, bad(carrier)]], { headers: ambient.slice(0, 1) })
    expect(await guard.decide(withoutOrigin)).toMatchObject({ ...by, by: 'status' })
    expect(verifyCookie).not.toHaveBeenCalled()
    expect(await guard.decide(handshake({ headers: ambient }))).toMatchObject({ type: 'accept' })
  })

  it.each(overHttp)('A18 tells a bad %s beside a good cookie by status, or by Close to a browser', async (carrier) => {
    const { guard, verifyCookie } = observed('handshakes')
    const onConnection = vi.fn(echo)
    const { port } = await startServer(guard, onConnection)
    const presented = [carrier, bad(carrier)] as const
    await expectRefusal(port, rawOf([presented], { Cookie: 'session=good-eve' }), 401)
    await expectTurnedAway(port, rawOf([presented], { Cookie: 'session=good-eve', Origin: origin }), {
      code: 4001,
      reason: 'Authentication failed',
    })
    expect(verifyCookie).not.toHaveBeenCalled()
    expect(onConnection).not.toHaveBeenCalled()
    await expectAccepted(port, rawOf([], { Cookie: 'session=good-eve', Origin: origin }), 'eve')
  })

  it.each<[Explicit, HandshakeChanges]>([
    ['ticket', { target: '/ws?ticket=' }],
    ['query', { target: '/ws?token[]=good-ada' }],
    ['header', { headers: [['authorization', 'Basic YTpi']] }],
    ['subprotocol', { headers: [['sec-websocket-protocol', 'app.v1, sallyport.bearer.=']] }],
    ['message', { message: '' }],
  ])('A18 never falls back from a malformed %s, by status even to a browser', async (_, changes) => {
    const { guard, verify, verifyCookie } = observed()
    const { headers = [], ...rest } = changes
    for (const beside of [[], ambient]) {
      const verdict = await guard.decide(handshake({ ...rest, headers: [...headers, ...beside] }))
      expect(verdict).toMatchObject({ type: 'refuse', code: 'badRequest', by: 'status' })
    }
    expect(verify).not.toHaveBeenCalled()
    expect(verifyCookie).not.toHaveBeenCalled()
    expect(await guard.decide(handshake({ headers: ambient }))).toMatchObject({ type: 'accept' })
  })

  it.each(overHttp)('A18 never falls back from %s to waiting for the first message', async (carrier) => {
    const guard = guardOfAll()
    expect(await guard.decide(presenting([[carrier, bad(carrier)]]))).toMatchObject({
      type: 'refuse',
      code: 'unauthenticated',
    })
    expect(await guard.decide(handshake())).toMatchObject({ type: 'await' })
  })

  const stale: HeaderLine = ['cookie', 'session=stale']
  const page = (...headers: HeaderLine[]) => handshake({ headers: [['origin', origin], ...headers] })

  it('A18 lets a stale cookie give way to the first message, and to nothing else', async () => {
    expect(await guardOfAll().decide(page(stale))).toMatchObject({ type: 'await' })
    expect(await guardOfHandshakes().decide(page(stale))).toMatchObject({ type: 'refuse', code: 'unauthenticated' })
  })

  it('A18 verifies the first message behind a stale cookie like any other', async () => {
    const guard = guardOfAll()
    const say = (token: string) => ({ ...page(stale), message: token })
    expect(await guard.decide(say('good-ada'))).toMatchObject({
      type: 'accept',
      identity: { id: 'ada' },
      method: 'message',
    })
    expect(await guard.decide(say('bad'))).toMatchObject({ type: 'refuse', code: 'unauthenticated' })
  })

  it.each<[string, CodeName, HeaderLine[]]>([
    ['a foreign origin', 'forbidden', [stale, ['origin', 'https://evil.example']]],
    ['no origin', 'forbidden', [stale]],
    ['a second cookie of its name', 'badRequest', [['origin', origin], stale, stale]],
  ])('A18 lets a stale cookie not give way with %s', async (_, code, headers) => {
    expect(await guardOfAll().decide(page(stale))).toMatchObject({ type: 'await' })
    expect(await guardOfAll().decide(handshake({ headers }))).toMatchObject({ type: 'refuse', code })
  })

  it.each<[CodeName, Verifier]>([
    ['unavailable', async () => Promise.reject(new UnavailableError('down'))],
    ['internal', async () => Promise.reject(new Error('a bug'))],
    ['forbidden', () => rejected('ticket-binding')],
  ])('A18 lets only a stale cookie give way: %s', async (code, verify) => {
    const accepting = (verify: Verifier) =>
      createGuard({
        origins: [origin],
        accept: [cookie({ name: 'session', verify }), firstMessage({ verify: verifyGood })],
      })
    expect(await accepting(verifyGood).decide(page(stale))).toMatchObject({ type: 'await' })
    expect(await accepting(verify).decide(page(stale))).toMatchObject({ type: 'refuse', code })
  })

  it.each([0, 20])('A18 lets a stale cookie give way where its address is limited: budget %i', async (budget) => {
    const guard = createGuard({
      origins: [origin],
      limits: { failedAttempts: 1, verificationBudget: budget },
      accept: [
        cookie({ name: 'session', verify: verifyGood }),
        header({ verify: verifyGood }),
        firstMessage({ verify: verifyGood }),
      ],
    })
    const say = (value: string) => ({ ...page(['cookie', `session=${value}`]), address: '192.0.2.66' })
    for (const value of ['stale-1', 'stale-2']) expect(await guard.decide(say(value))).toMatchObject({ type: 'await' })
    // The address is limited, and what does not give way says so.
    const bad = handshake({ headers: [['authorization', 'Bearer bad']], address: '192.0.2.66' })
    expect(await guard.decide(bad)).toMatchObject({ type: 'refuse', reason: 'attempts' })
    const message = { ...say('stale-2'), message: 'good-ada' }
    expect(await guard.decide(message)).toMatchObject(
      budget === 0 ? { reason: 'attempts' } : { type: 'accept', method: 'message' },
    )
  })

  it('A18 never falls back from one cookie to another', async () => {
    const verify = vi.fn(verifyGood)
    const accept = [cookie({ name: 'session', verify: verifyGood }), cookie({ name: 'legacy', verify })] as const
    const guard = createGuard({ origins: [origin], accept })
    const legacy: HeaderLine = ['cookie', 'legacy=good-ada']
    expect(await guard.decide(page(stale, legacy))).toMatchObject({ type: 'refuse', code: 'unauthenticated' })
    expect(verify).not.toHaveBeenCalled()
    expect(await guard.decide(page(legacy))).toMatchObject({ type: 'accept', identity: { id: 'ada' } })
  })
})

describe('A: how it is refused', () => {
  const verify: Verifier = (credential, context) => {
    if (credential === 'down') throw new UnavailableError('down')
    if (credential === 'bug') throw new Error('a bug')
    return verifyGood(credential, context)
  }
  const accept = [query({ verify }), header({ verify }), cookie({ name: 'session', verify })] as const
  const guards = {
    status: createGuard({ origins: [origin], accept, refuseBy: 'status' }),
    close: createGuard({ origins: [origin], accept, refuseBy: 'close' }),
    client: createGuard({ origins: [origin], accept, refuseBy: 'client' }),
    default: createGuard({ origins: [origin], accept }),
  }
  const origins = { 'no origin': undefined, 'an allowed origin': origin, 'a foreign origin': 'https://evil.example' }

  /** What is wrong, its code, and whether it may be told by Close. */
  const causes: [string, CodeName, boolean, HandshakeChanges][] = [
    ['a bad credential', 'unauthenticated', true, { target: '/ws?token=bad' }],
    ['no credential', 'unauthenticated', true, {}],
    ['a broken dependency', 'unavailable', true, { target: '/ws?token=down' }],
    ['a bug', 'internal', true, { target: '/ws?token=bug' }],
    ['a malformed credential', 'badRequest', false, { target: '/ws?token=' }],
    [
      'two credentials',
      'badRequest',
      false,
      { target: '/ws?token=good-ada', headers: [['authorization', 'Bearer good-ada']] },
    ],
    ['a malformed handshake', 'badRequest', false, { target: '/ws?token=good-ada', without: ['host'] }],
    ['another HTTP method', 'methodNotAllowed', false, { target: '/ws?token=good-ada', method: 'POST' }],
    ['another version', 'upgradeRequired', false, { target: '/ws?token=good-ada', without: ['sec-websocket-version'] }],
    ['a fetch', 'forbidden', false, { target: '/ws?token=good-ada', headers: [['sec-fetch-mode', 'cors']] }],
  ]
  const matrix = Object.entries(guards).flatMap(([refuseBy, guard]) =>
    Object.entries(origins).flatMap(([whence, from]) =>
      causes.map(([cause, code, tellable, changes]) => {
        const handshakeIsGood = tellable || code === 'badRequest'
        const refusedOrigin = whence === 'a foreign origin' && handshakeIsGood && !('without' in changes)
        const asksForClose = refuseBy === 'close' || (refuseBy !== 'status' && whence === 'an allowed origin')
        const expected = refusedOrigin ? 'forbidden' : code
        const by = tellable && !refusedOrigin && asksForClose ? 'close' : 'status'
        return { refuseBy, guard, whence, from, cause, changes, expected, by }
      }),
    ),
  )

  it.each(matrix)('A18 refuses by $by, as $expected: $refuseBy, $cause, $whence', async (row) => {
    const { guard, from, changes, expected, by } = row
    const headers: HeaderLine[] = [
      ...(changes.headers ?? []),
      ...(from === undefined ? [] : [['origin', from] as const]),
    ]
    expect(await guard.decide(handshake({ ...changes, headers }))).toMatchObject({ type: 'refuse', code: expected, by })
    expect(await guard.decide(handshake({ target: '/ws?token=good-ada' }))).toMatchObject({ type: 'accept' })
  })

  // An Authorization header says that no page sent it, whatever its Origin; still, no 101 for a foreign origin.
  it.each(Object.entries(guards))(
    'A18 refuses a foreign origin with a bad header by status: %s',
    async (refuseBy, guard) => {
      const from = (origin: string) =>
        handshake({
          headers: [
            ['authorization', 'Bearer bad'],
            ['origin', origin],
          ],
        })
      const by = refuseBy === 'status' ? 'status' : 'close'
      expect(await guard.decide(from(origin))).toMatchObject({ type: 'refuse', code: 'unauthenticated', by })
      expect(await guard.decide(from('https://evil.example'))).toMatchObject({ type: 'refuse', by: 'status' })
    },
  )

  it.each(Object.entries(guards))('A18 answers on the wire as decided: %s', async (refuseBy, guard) => {
    const onConnection = vi.fn(echo)
    const { port } = await startServer(guard, onConnection)
    for (const [whence, from] of Object.entries(origins)) {
      for (const [token, code] of [
        ['bad', 'unauthenticated'],
        ['down', 'unavailable'],
        ['bug', 'internal'],
      ] as const) {
        const request = rawHandshake(`/ws?token=${token}`, { Origin: from })
        const row = codes[code]
        const byClose = refuseBy === 'close' || (refuseBy !== 'status' && whence === 'an allowed origin')
        if (whence === 'a foreign origin') await expectRefusal(port, request, 403)
        else if (byClose) await expectTurnedAway(port, request, { code: row.close, reason: row.reason })
        else await expectRefusal(port, request, row.status)
      }
    }
    expect(onConnection).not.toHaveBeenCalled()
    await expectAccepted(port, rawHandshake('/ws?token=good-ada', { Origin: origin }))
  })
})

describe('A: a credential as a subprotocol', () => {
  const bearer = encodeBearer('good-ada')
  const offer = (value: string, headers: RawHeaders = {}) =>
    rawHandshake('/ws', { 'Sec-WebSocket-Protocol': value, ...headers })

  it.each<[string, string | undefined]>([
    [`app.v1, ${bearer}`, 'app.v1'],
    [`${bearer}, app.v1`, 'app.v1'],
    [`${bearer}, app.v9, app.v1`, 'app.v1'],
    [`${bearer}, app.v9`, undefined],
  ])('A19 never echoes the credential: %s', async (value, selected) => {
    const { port } = await startServer(guardOfHandshakes())
    const { headers, text } = await expectAccepted(port, offer(value))
    expect(headers.get('sec-websocket-protocol')).toBe(selected)
    expect(text).not.toContain('sallyport')
  })

  it('A19 refuses a credential alone', async () => {
    const { port } = await startServer(guardOfHandshakes())
    const { text } = await expectRefusal(port, offer(bearer), 400)
    expect(text).not.toContain('sallyport')
    await expectAccepted(port, offer(`app.v1, ${bearer}`))
  })

  it('A19 never echoes a credential that it refuses by Close', async () => {
    const { port } = await startServer(guardOfHandshakes())
    const close = { code: 4001, reason: 'Authentication failed' }
    const { headers, text } = await expectTurnedAway(
      port,
      offer(`${encodeBearer('bad')}, app.v1`, { Origin: origin }),
      close,
    )
    expect(headers.get('sec-websocket-protocol')).toBe('app.v1')
    expect(text).not.toContain('sallyport')
  })

  it('A19 never echoes one where none is accepted', async () => {
    const guard = createGuard({ protocols: ['app.v1'], accept: [header({ verify: verifyGood })] })
    const { port } = await startServer(guard)
    const request = offer(`${bearer}, app.v1`, { Authorization: 'Bearer good-ada' })
    const { headers, text } = await expectAccepted(port, request)
    expect(headers.get('sec-websocket-protocol')).toBe('app.v1')
    expect(text).not.toContain('sallyport')
  })

  it('A19 never echoes one to a socket that waits for its first message', async () => {
    const guard = createGuard({ protocols: ['app.v1'], accept: [firstMessage({ verify: verifyGood })] })
    const { port } = await startServer(guard)
    for (const value of [bearer, `${bearer}, app.v1`]) {
      const client = await RawClient.connect(port)
      client.write(offer(value))
      const { status, text } = await client.head()
      expect(status).toBe(101)
      expect(text).not.toContain('sallyport')
      client.destroy()
    }
  })
})

describe('A: over HTTP and over WebSocket', () => {
  const verify: Verifier = (credential, context) => {
    if (credential === 'down') throw new UnavailableError('down')
    if (credential === 'bug') throw new Error('a bug')
    return verifyGood(credential, context)
  }

  it.each<[number, string, RawHeaders]>([
    [200, 'a good token', { Authorization: 'Bearer good-ada' }],
    [401, 'no credential', {}],
    [401, 'an unknown token', { Authorization: 'Bearer bad' }],
    [401, 'a revoked token', { Authorization: 'Bearer good-eve' }],
    [400, 'another scheme', { Authorization: 'Basic good-ada' }],
    [503, 'a dependency that is down', { Authorization: 'Bearer down' }],
    [500, 'a bug', { Authorization: 'Bearer bug' }],
    [200, 'a good cookie', { Cookie: 'session=good-ada', Origin: origin }],
    [401, 'a stale cookie', { Cookie: 'session=stale', Origin: origin }],
    [401, 'a revoked cookie', { Cookie: 'session=good-eve', Origin: origin }],
    [400, 'two cookies', { Cookie: 'session=good-ada; session=good-ada', Origin: origin }],
    [403, 'a cookie from a foreign origin', { Cookie: 'session=good-ada', Origin: 'https://evil.example' }],
    [403, 'a cookie from nowhere', { Cookie: 'session=good-ada' }],
    [403, 'a cookie from another site', { Cookie: 'session=good-ada', Origin: origin, 'Sec-Fetch-Site': 'cross-site' }],
    [200, 'a good token beside a stale cookie', { Authorization: 'Bearer good-ada', Cookie: 'session=stale' }],
    [401, 'a bad token beside a good cookie', { Authorization: 'Bearer bad', Cookie: 'session=good-ada' }],
  ])('A25 decides alike, %i, on %s', async (status, _, headers) => {
    const { accept, ...options } = allMethods(verify)
    const guard = createGuard({
      ...options,
      accept: accept.filter(({ name }) => name !== 'message'),
      refuseBy: 'status',
    })
    await guard.revoke({ session: 's-eve' })
    const { port } = await startServer(guard)
    const post = { Connection: 'close', Upgrade: undefined, ...headers }
    const response = await rawRequest(port, rawHandshake('', post, 'POST /ws/ticket HTTP/1.1'))
    if (status === 200) {
      expect(response.status).toBe(201)
      await expectAccepted(port, rawHandshake('/ws', headers))
    } else {
      expect(response.status).toBe(status)
      const refused = await expectRefusal(port, rawHandshake('/ws', headers), status)
      expect(refused.body).toBe(response.body)
      expect(refused.headers.get('www-authenticate')).toBe(response.headers.get('www-authenticate'))
    }
  })
})
