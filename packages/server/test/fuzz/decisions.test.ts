import type { IncomingMessage } from 'node:http'
import { bearerPrefix, decodeBearer, encodeBearer } from '@sallyport/protocol'
import { createGuard, fromNode, type Handshake, header, memoryStore, ticket, type Verdict } from '@sallyport/server'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testClock } from '../support/clock.js'
import { nextTurn } from '../support/deferred.js'
import { allMethods, origin, verifyGood } from '../support/guard.js'
import { handshake } from '../support/handshake.js'
import { recordingStore } from '../support/recording-store.js'
import {
  addresses,
  credentials,
  damagedText,
  fuzz,
  MoodyVerifier,
  moods,
  mostly,
  share,
  textDamage,
  timeFor,
} from './inputs.js'

type Line = readonly [name: string, value: string]

/** A request as the parser of Node.js hands it over. */
interface RawRequest {
  readonly method: string
  readonly target: string
  readonly version: string
  readonly lines: readonly Line[]
  readonly address: string
}

const toHandshake = ({ method, target, version, lines, address }: RawRequest): Handshake =>
  fromNode({
    method,
    url: target,
    httpVersion: version,
    rawHeaders: lines.flat(),
    socket: { remoteAddress: address },
  } as unknown as IncomingMessage)

/** Each carrier's place for a credential: a query parameter or a header line. */
const ways: ((credential: string) => string | Line)[] = [
  (credential) => `ticket=${encodeURIComponent(credential)}`,
  (credential) => `token=${encodeURIComponent(credential)}`,
  (credential) => ['Authorization', `Bearer ${credential}`],
  (credential) => ['Cookie', `a=b; session=${encodeURIComponent(credential)}; c=d`],
  (credential) => ['Sec-WebSocket-Protocol', `app.v1, ${encodeBearer(credential)}`],
]

const presented = fc.tuple(fc.constantFrom(...ways), credentials).map(([way, credential]) => way(credential))

const goodLines: readonly Line[] = [
  ['Host', 'api.example.com'],
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
]

const origins: fc.Arbitrary<Line[]> = mostly<Line[]>(
  [['Origin', origin]],
  [],
  [['Origin', 'https://evil.example']],
  [['Origin', 'null']],
  [
    ['Origin', origin],
    ['origin', 'https://evil.example'],
  ],
)

const otherLines: fc.Arbitrary<Line> = fc.oneof(
  fc.constantFrom<Line[]>(
    ['X-Forwarded-For', '192.0.2.9, 10.0.0.2'],
    ['X-Forwarded-For', ',,::1, nonsense'],
    ['Sec-Fetch-Site', 'cross-site'],
    ['Sec-Fetch-Mode', 'navigate'],
    ['Content-Length', '5'],
    ['Transfer-Encoding', 'chunked'],
    ['Sec-WebSocket-Protocol', 'app.v1'],
    ['__proto__', 'x'],
  ),
  fc.tuple(fc.string(), fc.string({ unit: 'binary' })),
)

type Harm = (line: Line) => readonly Line[]

/** What becomes of a header line on its way. */
const harms: fc.Arbitrary<Harm> = fc.oneof(
  fc.constantFrom<Harm[]>(
    () => [],
    (line) => [line, line],
    ([name, value]) => [[name.toUpperCase(), value]],
    ([name, value]) => [[name, `${value}, x`]],
    ([name, value]) => [[name, ` ${value}\t`]],
  ),
  textDamage.map(
    (harm): Harm =>
      ([name, value]) => [[name, harm(value)]],
  ),
)

const harmed = (lines: readonly Line[], { at, harm }: { at: number; harm: Harm }): readonly Line[] =>
  lines.flatMap((line, i) => (i === at % lines.length ? harm(line) : [line]))

const seldom = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.oneof(fc.constant<T[]>([]), fc.array(some, { minLength: 1, maxLength: 3 }))

const requests: fc.Arbitrary<RawRequest> = fc
  .record({
    method: mostly('GET', 'POST', 'get', ''),
    path: mostly('/ws', '/', '/ws/', '//ws', '/%77s', '*', ''),
    version: mostly('1.1', '1.0', '2.0', ''),
    credentials: fc.oneof(fc.tuple(presented), fc.array(presented, { maxLength: 3 })),
    origins,
    others: seldom(otherLines),
    harms: seldom(fc.record({ at: fc.nat(20), harm: harms })),
    targetHarm: textDamage,
    address: addresses,
  })
  .map(({ path, credentials, origins, others, harms, targetHarm, ...rest }) => {
    const isLine = (part: string | Line): part is Line => typeof part !== 'string'
    const query = credentials.filter((part) => !isLine(part)).join('&')
    const lines = [...goodLines, ...origins, ...credentials.filter(isLine), ...others]
    return {
      ...rest,
      target: targetHarm(query ? `${path}?${query}` : path),
      lines: harms.reduce<readonly Line[]>(harmed, lines),
    }
  })

/** Everything that a request says, in every spelling that a carrier may decode. */
function spellings({ target, lines }: RawRequest): string {
  const texts = [target, ...lines.map(([, value]) => value)]
  const decoded = texts.flatMap((text) =>
    text.split(/[,;?&\s]+/).map((part) => {
      if (part.startsWith(bearerPrefix)) return decodeBearer(part) ?? ''
      try {
        return decodeURIComponent(part)
      } catch {
        return ''
      }
    }),
  )
  return [...texts, ...decoded].join('\n')
}

describe(`in process, ${share(1 / 2)} handshakes`, () => {
  const inputs = share(4 / 10)
  const timeout = timeFor(inputs)

  it(`lets ${inputs} in only with a good credential, verified once`, { timeout }, async () => {
    const clock = testClock()
    const verifier = new MoodyVerifier()
    const { store, recorded } = recordingStore(memoryStore({ clock }))
    const guard = createGuard({
      ...allMethods(verifier.verify),
      // A place that is not given back leaves none for the next.
      limits: { pendingSockets: 1, pendingPerAddress: 1, failedAttempts: 1_000 },
      trustedProxies: ['10.0.0.0/8', '::1'],
      refuseBy: 'client',
      store,
      clock,
    })
    // Without a listener, bugs of verifiers are warnings of the process.
    guard.subscribe(() => {})
    const seen = new Map<string, number>()
    await fuzz(fc.record({ request: requests, mood: moods }), inputs, async ({ request, mood }) => {
      verifier.reset(mood)
      recorded.length = 0
      const input = toHandshake(request)
      const place = guard.enter(input)
      if ('reason' in place) throw new Error('a place was not given back')
      const deciding = guard.decide(input)
      if (mood === 'silent') {
        await nextTurn()
        clock.advance(5_000)
      }
      const verdict = await deciding
      place.leave()
      clock.advance(60_000)
      expect(clock.pending).toBe(0)
      const takes = recorded.filter((call) => call.startsWith('take')).length
      expect(takes + verifier.asked.length).toBeLessThanOrEqual(1)
      expectDeserved(verdict, verifier.asked, request)
      const what =
        verdict.type === 'accept' ? verdict.method : verdict.type === 'refuse' ? verdict.reason : verdict.type
      if (mood !== 'broken') expect(what).not.toBe('internal-error')
      seen.set(what, (seen.get(what) ?? 0) + 1)
    })
    // This tested more than the first check: each way in was open to who deserved it, each kind of refusal came.
    for (const what of ['query', 'header', 'cookie', 'subprotocol', 'await']) expect(seen.get(what)).toBeGreaterThan(0)
    for (const reason of ['handshake-target', 'credentials-conflict', 'credential-unknown', 'origin-not-allowed']) {
      expect(seen.get(reason), reason).toBeGreaterThan(0)
    }
  })

  /** An accept needs a good credential that the request brought, by a way and from a page that may. */
  function expectDeserved(verdict: Verdict, asked: readonly string[], request: RawRequest): void {
    if (verdict.type !== 'accept') return
    const [credential = ''] = asked
    expect(credential).toBe(`good-${verdict.identity.id}`)
    expect(spellings(request)).toContain(credential)
    const values = (header: string) =>
      request.lines.filter(([name]) => name.toLowerCase() === header).map(([, value]) => value)
    const pages = values('origin')
    if (verdict.method !== 'header') {
      expect(pages.filter((page) => page !== origin)).toEqual([])
      expect(values('authorization')).toEqual([])
    }
    if (verdict.method === 'cookie') expect(pages).toEqual([origin])
  }

  const ticketInputs = share(1 / 10)

  it(`takes each of ${ticketInputs} tickets once at most, whole, in time and where it belongs`, {
    timeout: timeFor(ticketInputs),
  }, async () => {
    const clock = testClock()
    const guard = createGuard({
      origins: [origin],
      limits: { failedAttempts: 1_000 },
      accept: [ticket(), header({ verify: verifyGood })],
      clock,
    })
    let accepted = 0
    const presentation = fc.record({
      spell: damagedText(fc.constant('{ticket}')),
      path: mostly('/ws', '/other'),
      page: mostly<string | undefined>(origin, undefined, 'https://evil.example'),
      wait: mostly(0, 1, 29_999, 30_000),
    })
    const histories = fc.record({
      page: fc.constantFrom(origin, undefined),
      race: fc.boolean(),
      presentations: fc.array(presentation, { minLength: 1, maxLength: 4 }),
    })
    const from = (page: string | undefined) => (page === undefined ? [] : [['origin', page] as const])
    await fuzz(histories, ticketInputs, async ({ page, race, presentations }) => {
      const caller = { headers: [['authorization', 'Bearer good-ada'] as const, ...from(page)] }
      const issued = await guard.issueTicket(handshake({ method: 'POST', target: '/ws/ticket', ...caller }), '/ws')
      if ('reason' in issued) throw new Error(issued.reason)
      const issuedAt = clock.now()
      const present = async ({ spell, path, page: presenter }: (typeof presentations)[number]) => {
        const target = `${path}?ticket=${spell.replace('{ticket}', issued.ticket)}`
        const age = clock.now() - issuedAt
        const verdict = await guard.decide(handshake({ target, headers: from(presenter) }))
        if (verdict.type !== 'accept') return 0
        expect(path).toBe('/ws')
        expect(new URLSearchParams(target.slice(path.length)).getAll('ticket')).toEqual([issued.ticket])
        expect(age).toBeLessThan(30_000)
        expect(verdict).toMatchObject({ method: 'ticket', identity: { id: 'ada' } })
        if (page !== undefined) expect(presenter).toBe(page)
        return 1
      }
      let opened = 0
      if (race) for (const one of await Promise.all(presentations.map(present))) opened += one
      else {
        for (const one of presentations) {
          clock.advance(one.wait)
          opened += await present(one)
        }
      }
      expect(opened).toBeLessThanOrEqual(1)
      accepted += opened
      clock.advance(60_000)
      expect(clock.pending).toBe(0)
    })
    expect(accepted).toBeGreaterThan(ticketInputs / 10)
  })
})
