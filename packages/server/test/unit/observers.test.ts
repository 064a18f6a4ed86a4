import type { Attributes, Meter, ObservableGauge, ObservableResult } from '@opentelemetry/api'
import {
  type GuardEvent,
  logRefusals,
  reasons,
  rejected,
  session,
  UnavailableError,
  type Verifier,
} from '@sallyport/server'
import { Registry, register } from 'prom-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Identity } from '../../src/identity.js'
import { openTelemetryMetrics } from '../../src/observers/opentelemetry.js'
import { prometheusMetrics } from '../../src/observers/prometheus.js'
import { testClock } from '../support/clock.js'
import { cutStore } from '../support/cut-store.js'
import { nextTurn } from '../support/deferred.js'
import { origin } from '../support/guard.js'
import { handshake } from '../support/handshake.js'
import { authFrame, credentialOf, type LiveOptions, live, nextEvent, sendAuth, verifyClaims } from '../support/live.js'
import { rawHandshake, rawOpen, rawRequest } from '../support/raw.js'
import { seriesOf } from '../support/series.js'
import { startServer } from '../support/server.js'

const minute = 60_000

const verify: Verifier<Identity> = (credential, context) => {
  if (credential.startsWith('down')) throw new UnavailableError(`no answer for ${credential}`)
  if (credential.startsWith('bug')) throw new TypeError(`cannot read ${credential}`)
  return verifyClaims(credential, context)
}

/** A guard on which everything happens that is to be seen: who watches is attached first. */
async function story(watch: (set: ReturnType<typeof live>) => void) {
  const set = live({ verify, connectionsPerIdentity: { max: 1, whenFull: 'replace' } })
  watch(set)
  const { connect, server, clock, guard, renew } = set
  const claims = (changes: object = {}) => ({
    session: 's1',
    issuedAt: clock.now(),
    expiresAt: clock.now() + 10 * minute,
    ...changes,
  })
  const refused = (attempt: Promise<unknown>) => expect(attempt).rejects.toMatchObject({ name: 'RefusedError' })
  await refused(connect('bad-canary'))
  await refused(connect('down-canary'))
  await refused(connect('bug-canary'))
  await refused(server.connect({ origin: 'https://evil.example' }))
  const first = await connect(claims())
  const second = await connect(claims())
  await first.closed
  clock.advance(1_000)
  await renew(credentialOf(claims()))
  await renew('bad-canary')
  await guard.revoke({ session: 's1' })
  await second.closed
  const third = await connect(claims({ session: 's2' }), 'message')
  clock.advance(1_000)
  await sendAuth(third, credentialOf(claims({ session: 's2' })))
  await sendAuth(third, 'bad-canary-2')
  third.send(authFrame(credentialOf(claims({ id: 'eve', session: 's2' }))))
  await third.closed
  const silent = await server.connect()
  clock.advance(5_000)
  await silent.closed
  await connect({ id: 'still here' })
  while (guard.connections.size > 1) await nextEvent(guard, 'closed')
  await nextTurn()
  return set
}

/** A guard that hears nothing of its store any more when it is told so. */
function goingStale() {
  const clock = testClock()
  const way = cutStore(clock)
  way.look()
  return { ...live({ clock, store: () => way.store }), goStale: () => clock.advance(2_000) }
}

/** What happens in {@link story}: the refusals by their reasons. */
const refusals = {
  'credential-unknown': 3,
  'dependency-unavailable': 1,
  'internal-error': 1,
  'origin-not-allowed': 1,
  'message-late': 1,
}
const accepted = { header: 3, message: 1 }
const ended = { replaced: 1, revoked: 1, forbidden: 1 }
const renewed = 2

const tally = (names: readonly string[]) =>
  Object.fromEntries([...new Set(names)].map((name) => [name, names.filter((other) => other === name).length]))

describe('events', () => {
  it('tell of each thing once', async () => {
    const { events } = await story(() => {})
    const of = <T extends GuardEvent['type']>(type: T) =>
      events.filter((event): event is Extract<GuardEvent, { type: T }> => event.type === type)
    expect(tally(of('refused').map(({ reason }) => reason))).toEqual(refusals)
    expect(tally(of('accepted').map(({ connection }) => connection.method))).toEqual(accepted)
    expect(tally(of('ended').map(({ code }) => code))).toEqual(ended)
    expect(of('renewed')).toHaveLength(renewed)
    expect(of('closed')).toHaveLength(3)
    // In this order for each connection.
    for (const { connection } of of('closed')) {
      const types = events.flatMap((event) =>
        'connection' in event && event.connection === connection ? [event.type] : [],
      )
      expect(types.filter((type) => type !== 'renewed')).toEqual(['accepted', 'ended', 'closed'])
      expect(types.lastIndexOf('renewed')).toBeLessThan(types.indexOf('ended'))
    }
    const ids = of('refused').map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('change nothing, whatever a listener does with them', async () => {
    const quiet = await story(() => {})
    const noisy = await story(({ guard, events }) => {
      // In front of nobody, but of all that it could disturb.
      events.length = 0
      guard.subscribe(() => {
        throw new Error('listener bug')
      })
      guard.subscribe((() => Promise.reject(new Error('listener bug'))) as never)
    })
    expect(noisy.kinds()).toEqual(quiet.kinds())
    expect(noisy.reasons()).toEqual(quiet.reasons())
    expect(noisy.seen).toEqual(quiet.seen)
  })

  it('let a listener call the guard', async () => {
    const { connect, guard, kinds } = live()
    guard.subscribe(({ type }) => {
      if (type === 'accepted') void guard.revoke('all')
    })
    const client = await connect()
    expect((await client.closed).code).toBe(4010)
    while (!kinds().includes('closed')) await nextEvent(guard, 'closed')
    expect(kinds()).toEqual(['accepted', 'ended', 'closed'])
    expect(guard.connections.size).toBe(0)
  })

  it('are no more told to who has left', async () => {
    const { connect, guard } = live()
    const types: string[] = []
    const leave = guard.subscribe(({ type }) => types.push(type))
    await connect()
    leave()
    await connect()
    expect(types).toEqual(['accepted'])
  })
})

describe('logRefusals', () => {
  /** The log of a guard. */
  function logged(options: LiveOptions = {}) {
    const set = live({ verify, ...options })
    const lines: string[] = []
    const stop = logRefusals(set.guard, (line) => lines.push(line))
    const entries = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    return { ...set, lines, stop, entries }
  }

  it('writes one line for each refusal, and for each connection that the guard ends', async () => {
    const lines: string[] = []
    await story(({ guard }) => logRefusals(guard, (line) => lines.push(line)))
    const entries = lines.map((line) => JSON.parse(line) as Record<string, string>)
    const of = (event: string) => entries.filter((entry) => entry.event === event)
    expect(tally(of('refused').map(({ reason }) => reason!))).toEqual(refusals)
    expect(tally(of('ended').map(({ code }) => code!))).toEqual(ended)
    expect(entries).toHaveLength(of('refused').length + of('ended').length)
  })

  it('says when, what, why and who', async () => {
    const { connect, entries, clock, guard } = logged()
    await expect(connect('bad', 'header', '198.51.100.7')).rejects.toMatchObject({ status: 401 })
    const client = await connect({}, 'header', '198.51.100.8')
    clock.advance(1_500)
    const { id } = client.connection!
    await guard.revoke({ user: 'ada' })
    await client.closed
    expect(entries()).toEqual([
      {
        time: '2026-01-01T00:00:00.000Z',
        event: 'refused',
        id: expect.stringMatching(/^[\w-]{22}$/),
        reason: 'credential-unknown',
        address: '198.51.100.7',
        path: '/ws',
        help: 'https://github.com/sallyport/sallyport/blob/main/docs/errors/credential-unknown.md',
      },
      {
        time: '2026-01-01T00:00:01.500Z',
        event: 'ended',
        id,
        code: 'revoked',
        address: '198.51.100.8',
        method: 'header',
      },
    ])
  })

  it('writes one line when the store goes out of reach, and one when it is back', () => {
    const clock = testClock()
    const way = cutStore(clock)
    const { entries } = logged({ clock, store: () => way.store })
    way.look()
    way.follows = false
    for (let second = 0; second < 10; second++) {
      clock.advance(1_000)
      way.look()
    }
    way.follows = true
    way.look()
    expect(entries().map(({ event, state }) => [event, state])).toEqual([
      ['store', 'current'],
      ['store', 'stale'],
      ['store', 'current'],
    ])
  })

  it('writes one when nobody can say whether a credential is still good', async () => {
    let fails = false
    const look = session(async () => {
      if (fails) throw new UnavailableError('the canary is down')
      return { identity: { id: 'ada' } }
    })
    const { connect, clock, guard, entries, lines } = logged({ verify: look, life: { recheck: minute } })
    const { connection } = await connect('s1', 'cookie', '198.51.100.8')
    const failed = nextEvent(guard, 'recheck-failed')
    fails = true
    clock.advance(minute)
    await failed
    expect(entries()).toEqual([
      {
        time: expect.any(String),
        event: 'recheck-failed',
        id: connection!.id,
        address: '198.51.100.8',
        method: 'cookie',
        error: 'UnavailableError',
      },
    ])
    expect(lines.join()).not.toContain('canary')
  })

  it('names an error, and tells nothing of it', async () => {
    const { connect, lines, entries } = logged()
    await expect(connect('down-canary')).rejects.toMatchObject({ status: 503 })
    await expect(connect('bug-canary')).rejects.toMatchObject({ status: 500 })
    expect(entries().map(({ error }) => error)).toEqual(['UnavailableError', 'TypeError'])
    expect(lines.join()).not.toContain('canary')
  })

  it.each<[unknown, string]>([
    ['canary', 'string'],
    [undefined, ''],
    [null, 'object'],
    [{ toString: () => 'canary' }, 'object'],
  ])('names what was thrown and is no error: %j', async (thrown, name) => {
    const { connect, lines, entries } = logged({
      verify: () => {
        throw thrown
      },
    })
    await expect(connect('any')).rejects.toMatchObject({ status: 500 })
    expect(entries()).toHaveLength(1)
    expect(entries()[0]?.error ?? '').toBe(name)
    expect(lines.join()).not.toContain('canary')
  })

  it('is told of no refusal twice: a first message, a renewal, a route', async () => {
    const { server, connect, renew, entries } = logged()
    const pending = await server.connect()
    pending.send(authFrame('bad-1'))
    await pending.closed
    const client = await connect({}, 'message')
    await sendAuth(client, 'bad-2')
    await renew('bad-3')
    await server.fetch('/ws/ticket', { method: 'POST', headers: { Authorization: 'Bearer bad-4' } })
    expect(entries().map(({ path }) => path)).toEqual(['/ws', '/ws', '/ws/renew', '/ws/ticket'])
  })

  it('holds no control character, whatever comes, and is never long', async () => {
    const { guard, lines } = logged()
    const control = /[\p{Cc}\u2028\u2029]/u
    for (const target of [
      '/ws%0d%0a%1b[31m',
      '/ws\r\nX: y',
      '/ws\u001b[31m',
      '/ws\u009b31m',
      '/ws\u2028',
      '/ws"},{"level":"info',
      `/${'x'.repeat(10_000)}`,
    ]) {
      await guard.decide(handshake({ target, headers: [['origin', 'https://a\r\n"b"\u001b']] }))
    }
    expect(lines).toHaveLength(7)
    for (const line of lines) {
      expect(line).not.toMatch(control)
      expect(line.length).toBeLessThan(500)
      expect(JSON.parse(line)).toMatchObject({ event: 'refused' })
    }
  })

  it('holds none that a forwarded address brings', async () => {
    const { guard, lines } = logged({ trustedProxies: ['10.0.0.0/8'] })
    for (const forwarded of ['1.2.3.4\u001b[31m', '::1%\u001b[31m', '"},{', '203.0.113.9']) {
      await guard.decide(
        handshake({
          address: '10.0.0.1',
          headers: [
            ['x-forwarded-for', forwarded],
            ['authorization', 'Bearer bad'],
          ],
        }),
      )
    }
    const addresses = lines.map((line) => (JSON.parse(line) as { address: string }).address)
    expect(addresses).toEqual(['10.0.0.1', '::1', '10.0.0.1', '203.0.113.9'])
  })

  it('changes nothing when it cannot write', async () => {
    const { guard, connect } = live()
    logRefusals(guard, () => {
      throw new Error('the disk is full')
    })
    await expect(connect('bad')).rejects.toMatchObject({ status: 401 })
    await connect()
  })

  it('ends when it is told', async () => {
    const { connect, lines, stop } = logged()
    stop()
    await expect(connect('bad')).rejects.toMatchObject({ status: 401 })
    expect(lines).toEqual([])
  })
})

describe('prometheusMetrics', () => {
  it('counts what happens, each with its one label', async () => {
    const registry = new Registry()
    await story(({ guard }) => prometheusMetrics(guard, { registry }))
    // How long it took is another story.
    const series = Object.entries(await seriesOf(registry)).filter(([name]) => !name.includes('_duration_seconds'))
    expect(Object.fromEntries(series)).toEqual({
      ...Object.fromEntries(
        Object.entries(accepted).map(([name, count]) => [`sallyport_accepted_total{method="${name}"}`, count]),
      ),
      ...Object.fromEntries(
        Object.entries(refusals).map(([name, count]) => [`sallyport_refused_total{reason="${name}"}`, count]),
      ),
      ...Object.fromEntries(
        Object.entries(ended).map(([name, count]) => [`sallyport_ended_total{code="${name}"}`, count]),
      ),
      sallyport_renewed_total: renewed,
      sallyport_connections: 1,
      sallyport_pending: 0,
      'sallyport_store{state="current"}': 1,
      'sallyport_store{state="stale"}': 0,
      'sallyport_store{state="unavailable"}': 0,
    })
    expect(await registry.metrics()).not.toContain('canary')
  })

  it('tells the sockets that are not decided', async () => {
    const registry = new Registry()
    const { guard, server } = live()
    prometheusMetrics(guard, { registry })
    const pending = async () => (await seriesOf(registry)).sallyport_pending
    const client = await server.connect()
    expect(await pending()).toBe(1)
    await sendAuth(client, credentialOf())
    expect(await pending()).toBe(0)
  })

  it('tells the live connections as they are when it is asked', async () => {
    const registry = new Registry()
    const { guard, connect } = live()
    prometheusMetrics(guard, { registry })
    const size = async () => (await seriesOf(registry)).sallyport_connections
    expect(await size()).toBe(0)
    const client = await connect()
    await connect()
    expect(await size()).toBe(2)
    const closed = nextEvent(guard, 'closed')
    client.socket.terminate()
    await closed
    expect(await size()).toBe(1)
  })

  it('tells the state of the store as it is when it is asked', async () => {
    const registry = new Registry()
    const { guard, goStale } = goingStale()
    prometheusMetrics(guard, { registry })
    const states = async () => {
      const series = await seriesOf(registry)
      return ['current', 'stale', 'unavailable'].map((state) => series[`sallyport_store{state="${state}"}`])
    }
    expect(await states()).toEqual([1, 0, 0])
    goStale()
    expect(await states()).toEqual([0, 1, 0])
  })

  it('has names that may be told apart, for two guards in one registry', async () => {
    const registry = new Registry()
    const [one, other] = [live(), live()]
    prometheusMetrics(one.guard, { registry, prefix: 'chat_' })
    prometheusMetrics(other.guard, { registry, prefix: 'admin_' })
    await one.connect()
    expect(await seriesOf(registry)).toMatchObject({
      'chat_accepted_total{method="header"}': 1,
      chat_connections: 1,
      admin_connections: 0,
    })
    expect(() => prometheusMetrics(one.guard, { registry, prefix: 'chat_' })).toThrow()
  })

  it('is in the registry that everybody shares, unless it is told another', async () => {
    onTestFinished(() => register.clear())
    const { guard, connect } = live()
    prometheusMetrics(guard)
    await connect()
    expect(await seriesOf(register)).toMatchObject({ 'sallyport_accepted_total{method="header"}': 1 })
  })

  it('ends when it is told, and what it counted stays', async () => {
    const registry = new Registry()
    const { guard, connect } = live()
    const stop = prometheusMetrics(guard, { registry })
    await connect()
    stop()
    await connect()
    expect(await seriesOf(registry)).toMatchObject({ 'sallyport_accepted_total{method="header"}': 1 })
  })
})

describe('openTelemetryMetrics', () => {
  /** A meter that adds up. */
  function fakeMeter() {
    const counts: Record<string, number> = {}
    const gauges = new Map<string, Set<(result: ObservableResult) => void>>()
    const meter: Pick<Meter, 'createCounter' | 'createHistogram' | 'createObservableGauge'> = {
      createHistogram: () => ({ record: () => {} }),
      createCounter: (name) => ({
        add(value: number, attributes: Attributes = {}) {
          const key = [name, ...Object.entries(attributes).map((pair) => pair.join('='))].join(' ')
          counts[key] = (counts[key] ?? 0) + value
        },
      }),
      createObservableGauge: (name) => {
        const callbacks = new Set<(result: ObservableResult) => void>()
        gauges.set(name, callbacks)
        return {
          addCallback: (callback: (result: ObservableResult) => void) => callbacks.add(callback),
          removeCallback: (callback: (result: ObservableResult) => void) => callbacks.delete(callback),
        } as unknown as ObservableGauge
      },
    }
    const observe = (name: string) => {
      const values: (number | string)[] = []
      for (const callback of gauges.get(name) ?? []) {
        callback({ observe: (value, { state } = {}) => values.push(state === undefined ? value : `${state} ${value}`) })
      }
      return values
    }
    return { meter: meter as Meter, counts, observe }
  }

  it('counts what happens, each with its one attribute', async () => {
    const { meter, counts, observe } = fakeMeter()
    await story(({ guard }) => openTelemetryMetrics(guard, meter))
    const named = (name: string, attribute: string, values: Record<string, number>) =>
      Object.fromEntries(Object.entries(values).map(([value, count]) => [`${name} ${attribute}=${value}`, count]))
    expect(counts).toEqual({
      ...named('sallyport.accepted', 'method', accepted),
      ...named('sallyport.refused', 'reason', refusals),
      ...named('sallyport.ended', 'code', ended),
      'sallyport.renewed': renewed,
    })
    expect(observe('sallyport.connections')).toEqual([1])
    expect(observe('sallyport.pending')).toEqual([0])
  })

  it('tells the state of the store as it is when it is asked', () => {
    const { meter, observe } = fakeMeter()
    const { guard, goStale } = goingStale()
    openTelemetryMetrics(guard, meter)
    expect(observe('sallyport.store')).toEqual(['current 1', 'stale 0', 'unavailable 0'])
    goStale()
    expect(observe('sallyport.store')).toEqual(['current 0', 'stale 1', 'unavailable 0'])
  })

  it('ends when it is told', async () => {
    const { meter, counts, observe } = fakeMeter()
    const { guard, connect } = live()
    const stop = openTelemetryMetrics(guard, meter)
    await connect()
    stop()
    await connect()
    expect(counts).toEqual({ 'sallyport.accepted method=header': 1 })
    expect(observe('sallyport.connections')).toEqual([])
    expect(observe('sallyport.pending')).toEqual([])
    expect(observe('sallyport.store')).toEqual([])
  })

  it('does no harm when no provider was set up', async () => {
    const { guard, connect, seen } = live()
    const stop = openTelemetryMetrics(guard)
    await connect()
    stop()
    expect(seen).toEqual(['handler ada'])
  })
})

describe('no observer ever sees a credential', () => {
  const canary = 'canary-7f3a'

  it.each(['good', 'bad', 'down', 'bug'])('that is %s', async (kind) => {
    const outputs: string[] = []
    const registry = new Registry()
    const watched = live({
      verify: (credential) => {
        if (credential.startsWith('good')) return { identity: { id: 'ada' }, session: 's1' }
        if (credential.startsWith('down')) throw new UnavailableError(`no answer for ${credential}`)
        if (credential.startsWith('bug')) throw new TypeError(credential)
        return rejected('credential-unknown')
      },
    })
    const { guard, server, present, renew } = watched
    logRefusals(guard, (line) => outputs.push(line))
    prometheusMetrics(guard, { registry })
    const { port } = await startServer(guard)
    const credential = `${kind}-${canary}`
    for (const way of ['header', 'query', 'cookie', 'subprotocol'] as const) {
      const client = await server.connect(await present(credential, way)).catch(() => undefined)
      client?.socket.terminate()
    }
    const client = await server.connect({ origin })
    client.send(authFrame(credential))
    await client.receive().catch(() => {})
    await renew(credential)
    await rawRequest(port, rawHandshake(`/ws/${credential}?ticket=${credential}`))
    await rawOpen(port, `/ws?ticket=${credential}`)
    await guard.revoke('all')
    outputs.push(await registry.metrics())
    expect(outputs.join('\n')).toContain('sallyport_')
    expect(outputs.join('\n')).not.toContain(canary)
    expect(Object.keys(reasons).join()).not.toContain(canary)
  })
})
