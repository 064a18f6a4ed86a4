import { createHash } from 'node:crypto'
import {
  createGuard,
  createRoutes,
  type Guard,
  type Handshake,
  hash,
  header,
  type IssuedTicket,
  memoryStore,
  type Store,
  type TicketOptions,
  ticket,
  UnavailableError,
  type Verdict,
} from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { testClock } from '../support/clock.js'
import { deferred } from '../support/deferred.js'
import { allMethods, origin } from '../support/guard.js'
import { type HeaderLine, handshake } from '../support/handshake.js'
import { RawClient, rawHandshake, rawRequest } from '../support/raw.js'
import { recordingStore } from '../support/recording-store.js'
import { startServer } from '../support/server.js'

const clock = testClock()

function createTicketGuard(options: TicketOptions = {}, store: Store = memoryStore({ clock })) {
  const [, ...others] = allMethods().accept
  return createGuard({ ...allMethods(), accept: [ticket(options), ...others.slice(0, -1)], store, clock })
}

const bearer = (user: string): HeaderLine => ['authorization', `Bearer good-${user}`]

/** A ticket for `ada`, or for who the request says. */
async function issue(guard: Guard, request: Partial<Handshake> = {}, path = '/ws'): Promise<string> {
  const issued = await guard.issueTicket(handshake({ headers: [bearer('ada')], ...request }), path)
  if (!('ticket' in issued)) throw new Error(`no ticket: ${issued.reason}`)
  return issued.ticket
}

const redeem = async (guard: Guard, ticket: string, headers: HeaderLine[] = []): Promise<Verdict> =>
  guard.decide(handshake({ target: `/ws?ticket=${ticket}`, headers }))

const outcome = (verdict: Verdict): string => (verdict.type === 'refuse' ? verdict.reason : verdict.type)

const accepted = (verdicts: Verdict[]): number => verdicts.filter(({ type }) => type === 'accept').length

/** `POST /ws/ticket` and the like. */
async function call(guard: Guard, headers: Record<string, string>, init: RequestInit = {}): Promise<Response> {
  const request = new Request('http://127.0.0.1/ws/ticket', { method: 'POST', ...init, headers })
  const response = await createRoutes(guard, { path: '/ws' }).fetch(request)
  return response ?? new Response('not ours', { status: 404 })
}

describe('C: tickets', () => {
  it('C01 opens at most one connection', async () => {
    const { port } = await startServer(createTicketGuard())
    const headers = { Authorization: 'Bearer good-ada' }
    const issued = await fetch(`http://127.0.0.1:${port}/ws/ticket`, { method: 'POST', headers })
    const { ticket } = (await issued.json()) as IssuedTicket
    const open = async () => {
      const client = await RawClient.connect(port)
      client.write(rawHandshake(`/ws?ticket=${ticket}`))
      return (await client.head()).status
    }
    expect([await open(), await open(), await open()]).toEqual([101, 401, 401])
  })

  it('C01 is burnt by a handshake that fails behind it', async () => {
    const guard = createTicketGuard()
    const ticket = await issue(guard, { headers: [bearer('ada'), ['origin', origin]] })
    const control = await issue(guard, { headers: [bearer('ada'), ['origin', origin]] })
    expect(outcome(await redeem(guard, ticket))).toBe('ticket-binding')
    expect(outcome(await redeem(guard, ticket, [['origin', origin]]))).toBe('credential-unknown')
    expect(outcome(await redeem(guard, control, [['origin', origin]]))).toBe('accept')
  })

  it('C02 has exactly one winner for each of 200 tickets with 50 racers', async () => {
    const guard = createTicketGuard({ maxOutstanding: 200 })
    const tickets = await Promise.all(Array.from({ length: 200 }, () => issue(guard)))
    for (const ticket of tickets) {
      const verdicts = await Promise.all(Array.from({ length: 50 }, () => redeem(guard, ticket)))
      expect(accepted(verdicts)).toBe(1)
      expect(new Set(verdicts.map(outcome))).toEqual(new Set(['accept', 'credential-unknown']))
    }
  })

  it('C02 has exactly one winner on a live server, the last byte of all handshakes sent together', async () => {
    const guard = createTicketGuard()
    const { port } = await startServer(guard)
    for (let round = 0; round < 10; round++) {
      const request = rawHandshake(`/ws?ticket=${await issue(guard)}`)
      const racers = await Promise.all(Array.from({ length: 50 }, () => RawClient.connect(port)))
      for (const racer of racers) racer.write(request.slice(0, -1))
      for (const racer of racers) racer.write(request.slice(-1))
      const statuses = await Promise.all(racers.map(async (racer) => (await racer.head()).status))
      expect(statuses.filter((status) => status === 101)).toHaveLength(1)
      expect(statuses.filter((status) => status === 401)).toHaveLength(49)
      for (const racer of racers) racer.destroy()
    }
  })

  it('C03 lives for 30 seconds, to the millisecond', async () => {
    const guard = createTicketGuard()
    const [early, late] = [await issue(guard), await issue(guard)]
    clock.advance(29_999)
    expect(outcome(await redeem(guard, early))).toBe('accept')
    clock.advance(1)
    expect(outcome(await redeem(guard, late))).toBe('credential-unknown')
  })

  it('C03 lives as long as it is told, and 60 seconds at most', async () => {
    const guard = createTicketGuard({ expiresIn: 60 })
    const [early, late] = [await issue(guard), await issue(guard)]
    clock.advance(59_999)
    expect(outcome(await redeem(guard, early))).toBe('accept')
    clock.advance(1)
    expect(outcome(await redeem(guard, late))).toBe('credential-unknown')
    expect(() => createTicketGuard({ expiresIn: 61 })).toThrow('from 1 to 60')
    const { store, recorded } = recordingStore(memoryStore({ clock }))
    await issue(createTicketGuard({ expiresIn: 100 / 3 }, store))
    // Redis takes no part of a millisecond.
    expect(recorded.map((call) => call.split(' ').at(-1))).toEqual(['33334'])
  })

  it('C03 does not outlive the credential that it was issued for', async () => {
    const issueFor = async (expiresIn: number) => {
      const expiresAt = clock.now() + expiresIn
      const accept = allMethods(() => ({ identity: { id: 'ada' }, expiresAt })).accept
      const guard = createGuard({ ...allMethods(), accept, clock })
      return { guard, ticket: await issue(guard) }
    }
    const [short, long] = [await issueFor(10_000), await issueFor(10_001)]
    clock.advance(10_000)
    expect(outcome(await redeem(short.guard, short.ticket))).toBe('credential-expired')
    expect(outcome(await redeem(long.guard, long.ticket))).toBe('accept')
  })

  it('C04 is 256 random bits, of which the store sees a hash only', async () => {
    const { store, recorded } = recordingStore(memoryStore({ clock }))
    const guard = createTicketGuard({ maxOutstanding: 1_000 }, store)
    const tickets = await Promise.all(Array.from({ length: 1_000 }, () => issue(guard)))
    expect(new Set(tickets).size).toBe(1_000)
    for (const ticket of tickets) {
      expect(ticket).toMatch(/^[\w-]{43}$/)
      expect(Buffer.from(ticket, 'base64url')).toHaveLength(32)
    }
    // No bit is fixed: in 1,000 tickets each has been both. (By chance one would be missing once in 10^298 runs.)
    const all = tickets.map((ticket) => Buffer.from(ticket, 'base64url'))
    for (let bit = 0; bit < 256; bit++) {
      const values = new Set(all.map((bytes) => ((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1))
      expect(values.size).toBe(2)
    }
    const text = recorded.join('\n')
    expect(tickets.filter((ticket) => text.includes(ticket))).toEqual([])
    expect(tickets.filter((ticket) => !text.includes(hash(ticket)))).toEqual([])
  })

  describe('C05 is good only where it was issued for', () => {
    const other = 'https://other.example.com'
    const cases: [string, string, HeaderLine[], HeaderLine[], string][] = [
      ['the same path and no origin', '/ws', [], [], 'accept'],
      ['another path', '/admin', [], [], 'ticket-binding'],
      ['a path below', '/ws/room', [], [], 'ticket-binding'],
      ['the same origin', '/ws', [['origin', origin]], [['origin', origin]], 'accept'],
      ['another origin, also allowed', '/ws', [['origin', origin]], [['origin', other]], 'ticket-binding'],
      ['no origin', '/ws', [['origin', origin]], [], 'ticket-binding'],
      ['an origin, issued without one', '/ws', [], [['origin', origin]], 'accept'],
    ]

    it.each(cases)('C05 %s', async (_, path, issueHeaders, redeemHeaders, expected) => {
      const guard = createGuard({ ...allMethods(), origins: [origin, other], clock })
      const ticket = await issue(guard, { headers: [bearer('ada'), ...issueHeaders] }, path)
      const verdict = await redeem(guard, ticket, redeemHeaders)
      expect(outcome(verdict)).toBe(expected)
      if (verdict.type === 'refuse') expect(verdict.code).toBe('forbidden')
    })

    it('C05 is the one who asked for it, whoever presents it', async () => {
      const guard = createTicketGuard()
      const [ada, eve] = [await issue(guard), await issue(guard, { headers: [bearer('eve')] })]
      expect(await redeem(guard, ada, [['cookie', 'session=good-eve']])).toMatchObject({ identity: { id: 'ada' } })
      expect(await redeem(guard, eve)).toMatchObject({ identity: { id: 'eve' } })
    })

    it('C05 keeps the whole identity apart, issuer and tenant too', async () => {
      const identity = { id: 'ada', issuer: 'https://id.example.com', tenant: 'acme', roles: ['reader'] }
      const guard = createGuard({ ...allMethods(() => ({ identity })), clock })
      expect(await redeem(guard, await issue(guard))).toMatchObject({ identity })
    })
  })

  describe('C06 is worth nothing after a revocation', () => {
    it.each([
      ['of its user', { user: 'ada' }, 'credential-revoked'],
      ['of its session', { session: 's-ada' }, 'credential-revoked'],
      ['of another user', { user: 'eve' }, 'accept'],
      ['of another session', { session: 's-eve' }, 'accept'],
    ])('C06 %s', async (_, target, expected) => {
      const guard = createTicketGuard()
      const ticket = await issue(guard)
      await guard.revoke(target)
      expect(outcome(await redeem(guard, ticket))).toBe(expected)
    })

    it('C06 but a ticket issued after it is good', async () => {
      const guard = createTicketGuard()
      await guard.revoke({ user: 'ada' })
      clock.advance(1)
      expect(outcome(await redeem(guard, await issue(guard)))).toBe('accept')
    })

    it('C06 not even one whose issuing the revocation overtook', async () => {
      const store = memoryStore({ clock })
      const [asked, released] = [deferred(), deferred()]
      const put: Store['put'] = async (...entry) => {
        asked.resolve()
        await released.promise
        return store.put(...entry)
      }
      const guard = createTicketGuard({}, { ...store, put })
      const issuing = issue(guard)
      await asked.promise
      await guard.revoke({ user: 'ada' })
      released.resolve()
      expect(outcome(await redeem(guard, await issuing))).toBe('credential-revoked')
    })
  })

  describe('C07 is issued to no foreign page', () => {
    const cookie = { Cookie: 'session=good-ada' }
    const cases: [string, number, Record<string, string>, RequestInit?][] = [
      ['a page of an allowed origin', 201, { ...cookie, Origin: origin }],
      ['a page of a foreign origin', 403, { ...cookie, Origin: 'https://evil.example' }],
      [
        'a page of a foreign origin, with a form as body',
        403,
        { ...cookie, Origin: 'https://evil.example' },
        { body: 'a=b' },
      ],
      ['a page without an origin of its own', 403, { ...cookie, Origin: 'null' }],
      ['a request with a cookie and no origin at all', 403, cookie],
      [
        'a page of a foreign origin that knows a token',
        403,
        { Authorization: 'Bearer good-ada', Origin: 'https://evil.example' },
      ],
      ['a program that knows a token', 201, { Authorization: 'Bearer good-ada' }],
      ['a cross-site page by fetch metadata', 403, { ...cookie, Origin: origin, 'Sec-Fetch-Site': 'cross-site' }],
      ['a navigation', 405, { ...cookie, Origin: origin }, { method: 'GET' }],
    ]

    it.each(cases)('C07 %s: %i', async (_, status, headers, init) => {
      const response = await call(createTicketGuard(), headers, init)
      expect(response.status).toBe(status)
      const allowed = headers.Origin === origin
      expect(response.headers.get('access-control-allow-origin')).toBe(allowed ? origin : null)
      expect(response.headers.get('access-control-allow-credentials')).toBe(allowed ? 'true' : null)
      expect(response.headers.get('vary')).toBe(allowed ? 'Origin' : null)
      expect('ticket' in ((await response.json()) as object)).toBe(status === 201)
    })

    it.each([
      [origin, 204, origin],
      ['https://evil.example', 405, null],
      ['null', 405, null],
    ])('C07 answers the preflight of %s with %i', async (from, status, allowed) => {
      const response = await call(createTicketGuard(), { Origin: from }, { method: 'OPTIONS' })
      expect(response.status).toBe(status)
      expect(response.headers.get('access-control-allow-origin')).toBe(allowed)
      expect(response.headers.get('access-control-allow-headers')).toBe(allowed && 'Authorization, Content-Type')
    })
  })

  it.each([
    ['/ws/ticket', 201],
    ['/ws/ticket?v=1', 201],
    ['/ws/ticket/x.css', 404],
    ['/ws/ticket.css', 404],
    ['/ws/ticket;x.css', 404],
    ['/ws/ticket/', 404],
    ['/ws/TICKET', 404],
    ['/ws/%74icket', 404],
    ['/ws//ticket', 404],
  ])('C08 is in no cache: %s gives %i', async (path, status) => {
    const { port } = await startServer(createTicketGuard())
    const response = await rawRequest(
      port,
      `POST ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good-ada\r\nConnection: close\r\n\r\n`,
    )
    expect(response.status).toBe(status)
    if (status === 201) expect(response.headers.get('cache-control')).toBe('no-store')
  })

  describe('C09 is issued within bounds', () => {
    const authorization = { Authorization: 'Bearer good-ada' }
    const burst = (guard: Guard, count: number) =>
      Promise.all(Array.from({ length: count }, async () => (await call(guard, authorization)).status))

    it('C09 20 outstanding for an identity, then 429', async () => {
      const guard = createTicketGuard()
      const statuses = await burst(guard, 25)
      expect(statuses.filter((status) => status === 201)).toHaveLength(20)
      const refused = await call(guard, authorization)
      expect(refused.status).toBe(429)
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
      expect((await call(guard, { Authorization: 'Bearer good-eve' })).status).toBe(201)
    })

    it('C09 again when one was used, and when they have expired', async () => {
      const guard = createTicketGuard({ maxOutstanding: 2 })
      const ticket = await issue(guard)
      expect(await burst(guard, 2)).toEqual([201, 429])
      expect(outcome(await redeem(guard, ticket))).toBe('accept')
      expect(await burst(guard, 2)).toEqual([201, 429])
      clock.advance(30_000)
      expect((await burst(guard, 3)).sort()).toEqual([201, 201, 429])
    })

    it('C09 503 when the store is full, and no place is lost by it', async () => {
      const guard = createTicketGuard({ maxOutstanding: 2 }, memoryStore({ clock, maxEntries: 1 }))
      const ticket = await issue(guard)
      for (let i = 0; i < 3; i++) {
        const refused = await call(guard, authorization)
        expect(refused.status).toBe(503)
        expect(refused.headers.get('retry-after')).toBe('5')
      }
      expect(outcome(await redeem(guard, ticket))).toBe('accept')
      expect((await call(guard, authorization)).status).toBe(201)
    })
  })

  describe('C10 may be bound to a cookie, so that nobody can plant one in another page', () => {
    const bound = (value: string): HeaderLine => ['cookie', `login=${value}`]
    const cases: [string, HeaderLine[], HeaderLine[], string][] = [
      ['the same cookie', [bound('ada')], [bound('ada')], 'accept'],
      ['another cookie', [bound('eve')], [bound('ada')], 'ticket-binding'],
      ['no cookie', [bound('eve')], [], 'ticket-binding'],
      ['the cookie twice', [bound('eve')], [['cookie', 'login=ada; login=eve']], 'ticket-binding'],
      ['none when it was issued', [], [bound('ada')], 'ticket-binding'],
      ['none at all', [], [], 'ticket-binding'],
    ]

    it.each(cases)('C10 %s', async (_, issueHeaders, redeemHeaders, expected) => {
      const guard = createTicketGuard({ boundCookie: 'login' })
      const ticket = await issue(guard, { headers: [bearer('ada'), ...issueHeaders] })
      expect(outcome(await redeem(guard, ticket, redeemHeaders))).toBe(expected)
    })

    it('C10 is not, unless it is configured', async () => {
      const guard = createTicketGuard()
      const ticket = await issue(guard, { headers: [bearer('ada'), bound('eve')] })
      expect(outcome(await redeem(guard, ticket, [bound('ada')]))).toBe('accept')
    })
  })

  describe('C11 is burnt only by one who gets as far as the store', () => {
    const evil: HeaderLine = ['origin', 'https://evil.example']
    const attempts: [string, (ticket: string) => Handshake, string][] = [
      ['a foreign origin', (t) => handshake({ target: `/ws?ticket=${t}`, headers: [evil] }), 'origin-not-allowed'],
      ['a malformed handshake', (t) => handshake({ target: `/ws?ticket=${t}`, without: ['host'] }), 'handshake-host'],
      [
        'another version',
        (t) => handshake({ target: `/ws?ticket=${t}`, headers: [['sec-websocket-version', '8']] }),
        'not-a-websocket',
      ],
      [
        'another credential beside it',
        (t) => handshake({ target: `/ws?ticket=${t}&token=good-ada` }),
        'credentials-conflict',
      ],
      ['the ticket twice', (t) => handshake({ target: `/ws?ticket=${t}&ticket=${t}` }), 'credential-malformed'],
    ]

    it.each(attempts)('C11 not by %s', async (_, attempt, reason) => {
      const guard = createTicketGuard()
      const ticket = await issue(guard)
      expect(outcome(await guard.decide(attempt(ticket)))).toBe(reason)
      expect(outcome(await redeem(guard, ticket))).toBe('accept')
    })

    it('C11 asks the store once, before all that can fail', async () => {
      const { store, recorded } = recordingStore(memoryStore({ clock }))
      const guard = createTicketGuard({}, store)
      const ticket = await issue(guard, {}, '/elsewhere')
      recorded.length = 0
      expect(outcome(await redeem(guard, ticket))).toBe('ticket-binding')
      expect(outcome(await redeem(guard, ticket))).toBe('credential-unknown')
      expect(recorded.filter((line) => line.startsWith('take'))).toHaveLength(2)
    })
  })

  it('C12 answers a replayed request 401, and locks nobody out', async () => {
    const guard = createTicketGuard()
    const { port } = await startServer(guard)
    const request = rawHandshake(`/ws?ticket=${await issue(guard)}`)
    const first = await RawClient.connect(port)
    first.write(request)
    expect((await first.head()).status).toBe(101)
    for (let i = 0; i < 20; i++) expect((await rawRequest(port, request)).status).toBe(401)
    expect(outcome(await redeem(guard, await issue(guard)))).toBe('accept')
  })

  describe('C13 is no token, and a token is no ticket', () => {
    it('C13 refuses a token as a ticket', async () => {
      const guard = createTicketGuard()
      expect(outcome(await redeem(guard, 'good-ada'))).toBe('credential-unreadable')
      expect(outcome(await guard.decide(handshake({ target: '/ws?token=good-ada' })))).toBe('accept')
    })

    it.each<[string, (ticket: string) => Handshake]>([
      ['query token', (t) => handshake({ target: `/ws?token=${t}` })],
      ['bearer', (t) => handshake({ headers: [['authorization', `Bearer ${t}`]] })],
      [
        'cookie',
        (t) =>
          handshake({
            headers: [
              ['cookie', `session=${t}`],
              ['origin', origin],
            ],
          }),
      ],
    ])('C13 refuses a ticket as %s, and does not burn it', async (_, present) => {
      const guard = createTicketGuard()
      const ticket = await issue(guard)
      expect(outcome(await guard.decide(present(ticket)))).toBe('credential-unknown')
      expect(outcome(await redeem(guard, ticket))).toBe('accept')
    })

    it('C13 issues no ticket for a ticket', async () => {
      const guard = createTicketGuard()
      const ticket = await issue(guard)
      const issued = await guard.issueTicket(handshake({ target: `/ws/ticket?ticket=${ticket}` }), '/ws')
      expect(issued).toMatchObject({ reason: 'credential-absent' })
      expect(outcome(await redeem(guard, ticket))).toBe('accept')
    })
  })

  it.each([
    ['twice', (t: string) => `ticket=${t}&ticket=${t}`],
    ['twice, the second empty', (t: string) => `ticket=${t}&ticket=`],
    ['twice, once escaped', (t: string) => `ticket=${t}&%74icket=${t}`],
    ['as an array', (t: string) => `ticket[]=${t}`],
    ['as an array beside it', (t: string) => `ticket=${t}&ticket[]=x`],
    ['in another case', (t: string) => `Ticket=${t}`],
    ['in two cases', (t: string) => `ticket=${t}&TICKET=${t}`],
    ['with a NUL', (t: string) => `ticket=${t}%00`],
    ['with a plus', (t: string) => `ticket=+${t}`],
    ['with a space', (t: string) => `ticket=%20${t}`],
    ['with a broken escape', (t: string) => `ticket=${t}%`],
    ['without a value', () => 'ticket'],
    ['with an empty value', () => 'ticket='],
  ])('C14 refuses a ticket %s with 400', async (_, query) => {
    const guard = createTicketGuard()
    const ticket = await issue(guard)
    const { port } = await startServer(guard)
    expect((await rawRequest(port, rawHandshake(`/ws?${query(ticket)}`))).status).toBe(400)
    expect(outcome(await redeem(guard, ticket))).toBe('accept')
  })

  it('C15 answers unknown, used, expired and unreadable tickets with the same bytes', async () => {
    const guard = createTicketGuard()
    const { port } = await startServer(guard)
    const [used, expired] = [await issue(guard), await issue(guard)]
    expect(outcome(await redeem(guard, used))).toBe('accept')
    clock.advance(30_000)
    const unknown = createHash('sha256').digest('base64url')
    const answers = await Promise.all(
      [unknown, used, expired, 'short', 'x'.repeat(8_000)].map(async (ticket) => {
        const { text, status } = await rawRequest(port, rawHandshake(`/ws?ticket=${ticket}`))
        expect(status).toBe(401)
        return text
      }),
    )
    expect(new Set(answers).size).toBe(1)
  })

  it.each([
    ['a pattern', '*'.repeat(43)],
    ['line breaks', `${'a'.repeat(20)}%0d%0a${'a'.repeat(21)}`],
    ['10 KB', 'a'.repeat(10_240)],
    ['42 characters', 'a'.repeat(42)],
    ['44 characters', 'a'.repeat(44)],
    ['characters of another alphabet', `${'a'.repeat(42)}+`],
    ['a key of the store', `ticket:${'a'.repeat(36)}`],
  ])('C16 lets no ticket that is %s come to the store', async (_, ticket) => {
    const { store, recorded } = recordingStore(memoryStore({ clock }))
    const guard = createTicketGuard({}, store)
    expect((await redeem(guard, ticket)).type).toBe('refuse')
    const taken = () => recorded.filter((line) => line.startsWith('take'))
    expect(taken()).toEqual([])
    expect(recorded.filter((line) => line.includes(ticket))).toEqual([])
    expect(outcome(await redeem(guard, 'a'.repeat(43)))).toBe('credential-unknown')
    expect(taken()).toEqual([`take ticket:${hash('a'.repeat(43))}`])
  })

  it('C17 tells no address, whatever the Host says', async () => {
    const { port } = await startServer(createTicketGuard())
    const ask = async (host: string) => {
      const { status, body } = await rawRequest(
        port,
        `POST /ws/ticket HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer good-ada\r\nConnection: close\r\n\r\n`,
      )
      return { status, answer: JSON.parse(body) as object }
    }
    for (const host of ['127.0.0.1', 'evil.example']) {
      const { status, answer } = await ask(host)
      expect(status).toBe(201)
      expect(answer).toEqual({ ticket: expect.stringMatching(/^[\w-]{43}$/), expiresIn: 30 })
    }
  })

  it('C18 is unknown to a guard with another store', async () => {
    const [staging, production] = [createTicketGuard(), createTicketGuard()]
    const ticket = await issue(staging)
    expect(outcome(await redeem(production, ticket))).toBe('credential-unknown')
    expect(outcome(await redeem(staging, ticket))).toBe('accept')
  })

  it.each<[string, object, object]>([
    ['is not issued for an identity that JSON would change', { joined: new Date(0) }, { reason: 'internal-error' }],
    ['is issued for one that it says as it is', { joined: '1970-01-01' }, { expiresIn: 30 }],
  ])('C19 %s', async (_, more, answer) => {
    const verify = () => ({ identity: { id: 'ada', ...more } })
    const guard = createGuard({ accept: [ticket(), header({ verify })], clock })
    const errors: unknown[] = []
    guard.subscribe((event) => 'error' in event && errors.push(event.error))
    expect(await guard.issueTicket(handshake({ headers: [bearer('ada')] }), '/ws')).toMatchObject(answer)
    const told =
      'reason' in answer
        ? [expect.objectContaining({ message: expect.stringContaining('identity.joined is a Date') })]
        : []
    expect(errors).toEqual(told)
  })

  describe('a broken store is no bad ticket', () => {
    const broken = (change: (store: Store) => Partial<Store>) => {
      const store = memoryStore({ clock })
      return createTicketGuard({}, { ...store, ...change(store) })
    }
    const down = () => Promise.reject(new UnavailableError('down'))

    it('503 when it is down', async () => {
      const guard = broken(() => ({ take: down }))
      expect(await redeem(guard, await issue(guard))).toMatchObject({ code: 'unavailable' })
    })

    it('500 when it answers with the value of another key', async () => {
      let last: unknown
      const guard = broken((store) => ({
        put: async (key, value, ttl) => {
          last = value
          await store.put(key, value, ttl)
        },
        take: async () => last,
      }))
      const [ada, eve] = [await issue(guard), await issue(guard, { headers: [bearer('eve')] })]
      expect(await redeem(guard, ada)).toMatchObject({ code: 'internal' })
      expect(await redeem(guard, eve)).toMatchObject({ identity: { id: 'eve' } })
    })

    it('still accepts when only the place among the outstanding ones cannot be freed', async () => {
      const guard = broken(() => ({ release: down }))
      expect(outcome(await redeem(guard, await issue(guard)))).toBe('accept')
    })
  })
})
