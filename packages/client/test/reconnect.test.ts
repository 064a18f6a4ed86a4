import { CredentialError, type Kind, ticket } from '@sallyport/client'
import { type CodeName, codes, outcomeOfClose } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { closed, unreachable } from '../src/outcome.js'
import { createRetry } from '../src/retry.js'
import { fakeFetch, issued, refused, settled, start } from './fakes.js'

/** What the application is told for every row: a new row does not compile until it is decided. */
const kinds: Record<CodeName, Kind> = {
  unauthenticated: 'unauthenticated',
  timeout: 'unauthenticated',
  forbidden: 'forbidden',
  replaced: 'replaced',
  revoked: 'revoked',
  expired: 'expired',
  limited: 'limited',
  unavailable: 'unavailable',
  restart: 'unavailable',
  goingAway: 'unavailable',
  badRequest: 'misconfigured',
  credentialTooLarge: 'misconfigured',
  tooLarge: 'misconfigured',
  internal: 'unavailable',
  notFound: 'misconfigured',
  methodNotAllowed: 'misconfigured',
  upgradeRequired: 'misconfigured',
}

const rows = Object.entries(codes).map(([name, code]) => ({
  name: name as CodeName,
  status: undefined,
  close: undefined,
  ...code,
}))

describe('the table of codes', () => {
  for (const { name, close, reason, action } of rows) {
    if (close === undefined) continue
    it(`obeys close ${close} (${name}): ${action}`, async () => {
      const { socket, open, current, clock, sockets, reasons, events } = start()
      await open()
      await clock.advance(10_000)
      current().end(close, reason)
      await settled()
      expect(events.last('close')).toMatchObject({ code: close, reason, wasClean: true })
      expect(events.count('error')).toBe(0)
      const outcome = { kind: kinds[name], code: close }
      if (action === 'stop') {
        expect(events.last('terminal')).toMatchObject({ outcome })
        await clock.advance(600_000)
        expect([socket.readyState, sockets.length]).toEqual([3, 1])
        return
      }
      const delayMs = { 'retry-once': 500, reconnect: 0, jitter: 5_000, 'back-off': 500, wait: 500 }[action]
      expect(events.last('reconnecting')).toMatchObject({ outcome, attempt: 1, delayMs })
      if (delayMs > 0) {
        await clock.advance(delayMs - 1)
        expect(sockets).toHaveLength(1)
      }
      await clock.advance(delayMs > 0 ? 1 : 0)
      expect(sockets).toHaveLength(2)
      const expected = { unauthenticated: 'rejected', expired: 'expired' } as Partial<Record<Kind, string>>
      expect(reasons).toEqual(['first', expected[kinds[name]] ?? 'reconnect'])
    })
  }

  for (const { name, status, close, action } of rows) {
    if (status === undefined) continue
    it(`obeys status ${status} of the ticket endpoint (${name}): ${actionOf(status)}`, async () => {
      const { fetch, requests } = fakeFetch(refused(status), issued('good'))
      const { clock, sockets, events, open, socket } = start({ fetch, credential: ticket('/ws/ticket') })
      await settled()
      // Several rows share 503: the first of them speaks for all.
      const first = rows.find((row) => row.status === status)
      const outcome = { kind: kinds[first?.name ?? name], status }
      if (actionOf(status) === 'stop') {
        expect(events.types()).toEqual(['terminal', 'error', 'close'])
        expect(events.last('terminal')).toMatchObject({ outcome })
        expect(events.last('close')).toMatchObject({ code: close ?? 1006, wasClean: false })
        await clock.advance(600_000)
        expect([requests.length, sockets.length]).toEqual([1, 0])
        return
      }
      expect(action).not.toBe('stop')
      expect(events.types()).toEqual(['reconnecting', 'error'])
      expect(events.last('reconnecting')).toMatchObject({ outcome, attempt: 1 })
      await clock.advance(5_000)
      await open()
      expect([requests.length, sockets.length, socket.readyState]).toEqual([2, 1, 1])
    })
  }

  it.each([
    [4400, 'closed', 'back-off'],
    [4499, 'closed', 'back-off'],
    [4500, 'closed', 'stop'],
    [4999, 'closed', 'stop'],
    [3000, 'closed', 'back-off'],
    [1000, 'closed', 'back-off'],
    [1005, 'closed', 'back-off'],
    [1006, 'network', 'back-off'],
  ] as const)('takes the unknown close %i as %s: %s', async (code, kind, action) => {
    const { open, current, events } = start()
    await open()
    current().end(code)
    expect(events.last(action === 'stop' ? 'terminal' : 'reconnecting')).toMatchObject({ outcome: { kind, code } })
  })
})

const actionOf = (status: number) => rows.find((row) => row.status === status)?.action

describe('K03 reconnect storm', () => {
  it('K03 doubles the bound of the delay up to the cap, and takes a random part of it', async () => {
    const { current, retry, events } = start({ random: () => 0.5 })
    await settled()
    for (let failures = 0; failures < 9; failures++) {
      current().break()
      await retry()
    }
    const delays = events.log.filter(({ type }) => type === 'reconnecting').map(({ event }) => event.delayMs)
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000])
  })

  it('K03 starts over after 10 s of authenticated time', async () => {
    const { open, current, clock, events } = start()
    for (const delayMs of [500, 1000, 2000]) {
      await open()
      await clock.advance(9_999)
      current().break()
      expect(events.last('reconnecting')).toMatchObject({ delayMs })
      await clock.advance(delayMs)
    }
    await open()
    await clock.advance(10_000)
    current().break()
    expect(events.last('reconnecting')).toMatchObject({ delayMs: 500, attempt: 1 })
  })

  it('K03 does not count time before the authentication', async () => {
    const { current, clock, events } = start()
    await settled()
    current().break()
    await clock.advance(500)
    await clock.advance(9_999)
    current().break()
    expect(events.last('reconnecting')).toMatchObject({ delayMs: 1000, attempt: 2 })
  })

  it('K03 waits as told by Retry-After, and some more', async () => {
    const { fetch, requests } = fakeFetch(refused(503, { 'retry-after': '20' }), issued('t'))
    const { clock, events } = start({ fetch, credential: ticket('/ws/ticket') })
    await settled()
    expect(events.last('reconnecting')).toMatchObject({
      delayMs: 20_500,
      outcome: { kind: 'unavailable', retryAfter: 20 },
    })
    await clock.advance(20_499)
    expect(requests).toHaveLength(1)
    await clock.advance(1)
    expect(requests).toHaveLength(2)
  })

  it('K03 backs off where there is no Retry-After', async () => {
    const { fetch } = fakeFetch(refused(503), issued('t'))
    const { events } = start({ fetch, credential: ticket('/ws/ticket') })
    await settled()
    expect(events.last('reconnecting')).toMatchObject({ delayMs: 500 })
  })

  it.each([
    ['7', 7_000],
    ['99999999999', 86_400_000],
    ['-7', 0],
    ['7.5', 0],
    ['Wed, 21 Oct 2026 07:28:00 GMT', 0],
  ])('K03 reads Retry-After: %s', async (value, ms) => {
    const { fetch } = fakeFetch(refused(429, { 'retry-after': value }))
    const { events } = start({ fetch, credential: ticket('/ws/ticket') })
    await settled()
    expect(events.last('reconnecting')).toMatchObject({ delayMs: ms + 500, outcome: { kind: 'limited' } })
  })

  it('K03 spreads a thousand clients after a restart: no tenth of a second sees more than 6 % of them', () => {
    let seed = 1
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed / 2_147_483_647
    }
    const buckets = new Map<number, number>()
    for (let client = 0; client < 1_000; client++) {
      const next = createRetry({}, random).next(closed({ code: 1012, reason: '', wasClean: true }))
      const bucket = Math.floor((next?.delayMs ?? 0) / 100)
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1)
    }
    expect(Math.max(...buckets.values())).toBeLessThanOrEqual(60)
    expect(buckets.size).toBe(50)
  })

  it('K03 reconnects at once after an expiry, but only once in a stable period', async () => {
    const { open, current, clock, events } = start()
    await open()
    await clock.advance(10_000)
    for (const delayMs of [0, 1000, 2000, 4000]) {
      current().end(4019)
      expect(events.last('reconnecting')).toMatchObject({ delayMs })
      await clock.advance(delayMs)
      await open()
    }
    await clock.advance(10_000)
    current().end(4019)
    expect(events.last('reconnecting')).toMatchObject({ delayMs: 0 })
  })

  it('K03 has sane defaults without options', () => {
    const { stableMs, next } = createRetry({}, Math.random)
    expect(stableMs).toBe(10_000)
    for (let attempt = 1; attempt < 2_000; attempt++) {
      const decided = next(unreachable(true))
      expect(decided?.attempt).toBe(attempt)
      expect(decided?.delayMs).toBeGreaterThanOrEqual(0)
      expect(decided?.delayMs).toBeLessThan(30_000)
    }
  })
})

describe('K04 a credential that can never work', () => {
  it('K04 stops at the second rejection, with one terminal event', async () => {
    const { socket, open, current, clock, sockets, reasons, events } = start()
    await open()
    current().end(4001, 'Authentication failed')
    await clock.advance(500)
    await open()
    current().end(4001, 'Authentication failed')
    await clock.advance(600_000)
    expect(reasons).toEqual(['first', 'rejected'])
    expect(sockets).toHaveLength(2)
    expect(events.count('terminal')).toBe(1)
    expect(events.last('terminal')).toMatchObject({ outcome: { kind: 'unauthenticated', code: 4001 } })
    expect(events.log.at(-1)).toMatchObject({ type: 'close', readyState: 3 })
    expect(socket.readyState).toBe(3)
    expect(clock.pending).toBe(0)
  })

  it('K04 goes on when the second credential is accepted', async () => {
    const { socket, open, current, clock, events } = start()
    await open()
    current().end(4001, 'Authentication failed')
    await clock.advance(500)
    await open()
    await clock.advance(600_000)
    expect(events.count('terminal')).toBe(0)
    expect(socket.readyState).toBe(1)
  })

  it('K04 allows another retry after a stable period', async () => {
    const { open, current, clock, events } = start()
    for (let round = 0; round < 3; round++) {
      await open()
      await clock.advance(10_000)
      current().end(4001)
      await clock.advance(500)
    }
    expect(events.count('terminal')).toBe(0)
  })

  it('K04 counts the rejections of the ticket endpoint and of the socket together', async () => {
    const { fetch, requests } = fakeFetch(issued('t'), refused(401))
    const { open, current, clock, events } = start({ fetch, credential: ticket('/ws/ticket') })
    await open()
    current().end(4001)
    await clock.advance(600_000)
    expect(requests).toHaveLength(2)
    expect(events.last('terminal')).toMatchObject({ outcome: { kind: 'unauthenticated', status: 401 } })
    expect(events.last('close')).toMatchObject({ code: 4001, reason: '', wasClean: false })
  })

  it('K04 still asks with `rejected` when the network failed in between', async () => {
    const { open, current, clock, reasons } = start()
    await open()
    current().end(4001)
    await clock.advance(500)
    current().break()
    await clock.advance(1000)
    expect(reasons).toEqual(['first', 'rejected', 'rejected'])
    await open()
    current().break()
    await clock.advance(2000)
    expect(reasons.at(-1)).toBe('reconnect')
  })

  it('K04 never takes a 1006 before the handshake for a rejection', async () => {
    const { current, retry, sockets, reasons, events } = start()
    await settled()
    for (let attempt = 0; attempt < 20; attempt++) {
      current().break()
      expect(events.last('reconnecting')).toMatchObject({ outcome: { kind: 'network', ambiguous: true } })
      await retry()
    }
    expect(sockets).toHaveLength(21)
    expect(new Set(reasons)).toEqual(new Set(['first', 'reconnect']))
    expect(events.count('terminal')).toBe(0)
  })

  it('K04 does not call a 1006 after the handshake ambiguous', async () => {
    const { open, current, events } = start()
    await open()
    current().break()
    expect(events.last('reconnecting').outcome).toEqual({ kind: 'network', code: 1006 })
  })

  it('K04 starts anew with reset() after it gave up', async () => {
    const { socket, open, current, events, reasons } = start()
    await open()
    current().end(4010)
    expect(socket.readyState).toBe(3)
    socket.reset()
    expect(socket.readyState).toBe(0)
    const ready = socket.ready
    await open()
    await ready
    expect(reasons).toEqual(['first', 'first'])
    expect(events.types()).toEqual(['authenticated', 'open', 'terminal', 'close', 'authenticated', 'open'])
  })

  it('K04 counts rejections and delays from the beginning after reset()', async () => {
    const { socket, open, current, retry, events } = start()
    await open()
    current().end(4001)
    await retry()
    socket.reset()
    await open()
    current().end(4001)
    expect(events.count('terminal')).toBe(0)
    expect(events.last('reconnecting')).toMatchObject({ attempt: 1, delayMs: 500 })
  })
})

describe('K05 a fresh credential for every attempt', () => {
  it('K05 never presents a ticket twice', async () => {
    const { open, current, retry, sockets } = start()
    for (let attempt = 0; attempt < 5; attempt++) {
      await open()
      current().break()
      await retry()
    }
    const tickets = sockets.map(({ url }) => new URL(url).searchParams.get('ticket'))
    expect(tickets).toEqual(['t1', 't2', 't3', 't4', 't5', 't6'])
  })
})

describe('K10 a credential function that fails', () => {
  const fault = new Error('of the application')
  it.each<[string, () => Promise<string> | string, object]>([
    [
      'throws',
      () => {
        throw fault
      },
      { kind: 'unavailable', cause: fault },
    ],
    ['rejects', () => Promise.reject(fault), { kind: 'unavailable', cause: fault }],
    [
      'throws a CredentialError without a status',
      () => Promise.reject(new CredentialError('offline')),
      { kind: 'network' },
    ],
    ['throws 503', () => Promise.reject(new CredentialError('down', { status: 503 })), { kind: 'unavailable' }],
  ])('K10 backs off when it %s', async (_how, source, outcome) => {
    let calls = 0
    const credential = ticket(() => (++calls < 3 ? source() : 'good'))
    const { socket, clock, sockets, events, open } = start({ credential })
    await clock.advance(500)
    expect(events.types()).toEqual(['reconnecting', 'error', 'reconnecting', 'error'])
    expect(events.last('reconnecting')).toMatchObject({ outcome, attempt: 2, delayMs: 1000 })
    expect(sockets).toHaveLength(0)
    await clock.advance(1000)
    await open()
    expect(socket.readyState).toBe(1)
  })

  const nothing = undefined as unknown as { token: string }
  const missing = {} as { refresh(): string }
  it.each<[string, () => string | Promise<string>]>([
    ['reads from nothing', () => nothing.token],
    ['reads from nothing, later', async () => nothing.token],
    ['calls what is no function', () => missing.refresh()],
    ['names what is not there', () => new Function('return notThere')()],
    ...['x is undefined', "undefined is not an object (evaluating 'x.y')", 'null is not iterable'].map(
      (text): [string, () => string] => [
        `says “${text}”`,
        () => {
          throw new TypeError(text)
        },
      ],
    ),
  ])('K18 stops at a mistake in its code, and says so: it %s', async (_how, source) => {
    let calls = 0
    const credential = ticket(() => {
      calls++
      return source()
    })
    const { clock, events } = start({ credential })
    await clock.advance(600_000)
    expect(calls).toBe(1)
    expect(events.types()).toEqual(['terminal', 'error', 'close'])
    const { cause } = (events.last('terminal') as unknown as { outcome: { cause: Error } }).outcome
    expect(events.last('terminal')).toMatchObject({ outcome: { kind: 'misconfigured' } })
    expect(cause.name).toMatch(/^(Type|Reference)Error$/)
  })

  // Chromium, Firefox, Safari, React Native, Node.js, Deno.
  it.each([
    'Failed to fetch',
    'NetworkError when attempting to fetch resource.',
    'Load failed',
    'The network connection was lost.',
    'Network request failed',
    'fetch failed',
    'terminated',
    'error sending request for url (https://id.example.com/token)',
  ])('K18 calls a fetch in it that says “%s” `network`, and comes again', async (text) => {
    let calls = 0
    const { open, socket, clock, events } = start({
      credential: ticket(() => (++calls === 1 ? Promise.reject(new TypeError(text)) : 'good')),
    })
    await settled()
    expect(events.last('reconnecting')).toMatchObject({ outcome: { kind: 'network', ambiguous: true } })
    await clock.advance(500)
    await open()
    expect(socket.readyState).toBe(1)
  })

  it('K18 says what the system said of a fetch in it', async () => {
    const cause = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
    const { events } = start({ credential: ticket(() => Promise.reject(new TypeError('fetch failed', { cause }))) })
    await settled()
    const { outcome } = events.last('reconnecting')
    expect(outcome).toMatchObject({ kind: 'network', system: 'ECONNREFUSED' })
    expect(outcome).not.toHaveProperty('ambiguous')
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['an empty string', ''],
    ['no string', { token: 'x' }],
    ['a line break', 'token\n'],
  ])('K10 asks once more and then stops when it returns %s', async (_what, value) => {
    const reasons: string[] = []
    const credential = ticket(({ reason }) => {
      reasons.push(reason)
      return value as string
    })
    const { clock, sockets, events } = start({ credential })
    await clock.advance(600_000)
    expect(reasons).toEqual(['first', 'rejected'])
    expect(sockets).toHaveLength(0)
    expect(events.last('terminal')).toMatchObject({ outcome: { kind: 'unauthenticated', status: 401 } })
    expect(String(events.last('error').message)).not.toContain('token')
  })

  it('K10 gives up on one that never settles after 10 s, tells it, and backs off', async () => {
    const signals: AbortSignal[] = []
    const credential = ticket(({ signal }) => {
      signals.push(signal)
      return signals.length === 1 ? new Promise<string>(() => {}) : 'good'
    })
    const { clock, sockets, events, open, socket } = start({ credential })
    await clock.advance(9_999)
    expect(events.types()).toEqual([])
    expect(signals[0]?.aborted).toBe(false)
    await clock.advance(1)
    expect(signals[0]?.aborted).toBe(true)
    expect(events.last('error').error).toMatchObject({
      outcome: { kind: 'unavailable' },
      cause: new Error('No credential'),
    })
    expect(sockets).toHaveLength(0)
    await clock.advance(500)
    await open()
    expect(socket.readyState).toBe(1)
  })

  it('K10 ignores an answer or a failure that comes too late', async () => {
    const answers: { resolve(value: string): void; reject(error: Error): void }[] = []
    const credential = ticket(() => new Promise<string>((resolve, reject) => answers.push({ resolve, reject })))
    const { clock, sockets, events } = start({ credential, timeoutMs: 100 })
    await clock.advance(100)
    await clock.advance(500)
    answers[0]?.resolve('late')
    await clock.advance(100)
    answers[1]?.reject(new Error('late'))
    await settled()
    expect(sockets).toHaveLength(0)
    expect(events.count('reconnecting')).toBe(2)
    await clock.advance(1000)
    answers[2]?.resolve('in-time')
    await settled()
    expect(sockets).toHaveLength(1)
  })

  it('K10 stops when a WebSocket class throws, and does not quote what it says', async () => {
    const WebSocket = class {
      constructor(url: string) {
        throw new SyntaxError(`Bad URL: ${url}`)
      }
    }
    const { events } = start({ WebSocket: WebSocket as never, credential: ticket(() => 'SECRET') })
    await settled()
    const { outcome } = events.last('terminal') as unknown as { outcome: { cause: Error } }
    expect(outcome).toMatchObject({ kind: 'misconfigured', cause: new Error('WebSocket: SyntaxError') })
    expect(events.types()).toEqual(['terminal', 'error', 'close'])
  })
})

describe('a close code that the application names', () => {
  const stopOn = [1000, 1005, 4100, 1012]

  it.each([1000, 1005, 4100, 1012])('ends the socket after a Close of %i', async (code) => {
    const { open, current, clock, events, socket, sockets } = start({ reconnect: { stopOn } })
    await open()
    current().end(code, 'done')
    const kind = code === 1012 ? 'unavailable' : 'closed'
    expect(events.types()).toEqual(['authenticated', 'open', 'terminal', 'close'])
    expect(events.last('terminal')).toMatchObject({ outcome: { kind, code } })
    expect(events.last('close')).toMatchObject({ code, reason: 'done', wasClean: true })
    await clock.advance(600_000)
    expect([socket.readyState, sockets.length]).toEqual([3, 1])
  })

  it.each([1001, 4101, 1006])('does not after a Close of %i, which is none of them', async (code) => {
    const { open, current, events } = start({ reconnect: { stopOn } })
    await open()
    current().end(code)
    expect(events.count('terminal')).toBe(0)
    expect(events.last('reconnecting')).toMatchObject({ outcome: { code }, attempt: 1 })
  })

  it('is none of an attempt that had no Close', async () => {
    const { events } = start({ reconnect: { stopOn: [0] }, credential: ticket(() => Promise.reject(new Error())) })
    await settled()
    expect(events.types()).toEqual(['reconnecting', 'error'])
  })
})

describe('K11 at most one socket', () => {
  it('K11 gives up on a handshake that takes over 10 s before it dials again', async () => {
    const { clock, sockets, live, current, events, open } = start()
    await clock.advance(9_999)
    expect(current().closedWith).toBeUndefined()
    await clock.advance(1)
    expect(sockets[0]?.closedWith).toEqual({ code: undefined, reason: undefined })
    expect(events.last('reconnecting')).toMatchObject({ outcome: { kind: 'network', ambiguous: true } })
    await clock.advance(500)
    await open()
    await clock.advance(600_000)
    expect(live.most).toBe(1)
    expect(sockets).toHaveLength(2)
  })

  it('K11 hears nothing of an old socket any more', async () => {
    const { socket, clock, sockets, open, current, events } = start()
    await clock.advance(10_000)
    await clock.advance(500)
    await open()
    const before = events.types()
    sockets[0]?.open()
    sockets[0]?.receive('late')
    sockets[0]?.break()
    expect(events.types()).toEqual(before)
    expect(socket.readyState).toBe(1)
    current().receive('of the new one')
    expect(events.types()).toEqual([...before, 'message'])
  })

  it('K11 keeps to one socket under a storm of resets and closes', async () => {
    const { socket, clock, sockets, live, open } = start()
    for (let round = 0; round < 50; round++) {
      socket.reset()
      if (round % 3 === 0) await settled()
      if (round % 5 === 0) socket.close()
      if (round % 7 === 0) await open()
    }
    socket.reset()
    await open()
    await clock.advance(600_000)
    expect(socket.readyState).toBe(1)
    expect(live.most).toBe(1)
    expect(sockets.filter(({ readyState }) => readyState === 1)).toHaveLength(1)
  })
})

describe('K20 a WebSocket that has an error and no close', () => {
  it('K20 is the end of the attempt before it was open: Node.js 22 tells of a refused handshake so', async () => {
    const { current, events, retry, sockets } = start()
    await settled()
    current().fail()
    expect(events.types()).toEqual(['reconnecting', 'error'])
    expect(events.last('reconnecting')).toMatchObject({ outcome: { kind: 'network', ambiguous: true }, delayMs: 500 })
    expect(current().closedWith).toBeDefined()
    await retry()
    expect(sockets).toHaveLength(2)
  })

  it('K20 says what the system said, and nothing of the URL', async () => {
    const { current, events } = start()
    await settled()
    current().fail(Object.assign(new Error('connect ECONNREFUSED /ws?ticket=t1'), { code: 'ECONNREFUSED' }))
    const { outcome } = events.last('reconnecting')
    expect(outcome).toEqual({ kind: 'network', system: 'ECONNREFUSED', cause: undefined })
  })

  it('K20 is heard no more once it is open: the close that follows says all', async () => {
    const { open, current, events } = start()
    await open()
    current().fail()
    expect(events.types()).toEqual(['authenticated', 'open'])
    current().end(1006)
    expect(events.count('reconnecting')).toBe(1)
  })
})

describe('K16 a server that accepts and then closes at once', () => {
  it('K16 sees delays that grow to the cap, because `open` resets nothing', async () => {
    const { open, current, retry, events } = start()
    for (let round = 0; round < 8; round++) {
      await open()
      current().end(3000)
      await retry()
    }
    const delays = events.log.filter(({ type }) => type === 'reconnecting').map(({ event }) => event.delayMs)
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    expect(outcomeOfClose(3000).action).toBe('back-off')
  })
})
