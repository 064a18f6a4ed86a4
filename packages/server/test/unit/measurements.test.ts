import { readFileSync } from 'node:fs'
import type { Attributes, Meter } from '@opentelemetry/api'
import {
  type Guard,
  type Identity,
  type Measurement,
  rejected,
  UnavailableError,
  type Verifier,
} from '@sallyport/server'
import { testClock } from '@sallyport/server/testing'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { openTelemetryMetrics } from '../../src/observers/opentelemetry.js'
import { prometheusMetrics } from '../../src/observers/prometheus.js'
import { live, sendAuth } from '../support/live.js'
import { seriesOf } from '../support/series.js'

/** A guard whose verifier takes as long as the credential says, and what is measured of everything that it does. */
async function work(watch: (guard: Guard) => () => void) {
  const clock = testClock()
  const verify: Verifier<Identity> = (credential) => {
    const [kind, ms] = credential.split('-')
    clock.advance(Number(ms))
    if (kind === 'down') throw new UnavailableError('down')
    return kind === 'good' ? { identity: { id: 'ada' }, session: `s${ms}` } : rejected('credential-unknown')
  }
  const set = live({ clock, verify })
  const stop = watch(set.guard)
  const { connect, server, present, guard } = set
  await connect('good-100')
  await expect(connect('bad-50')).rejects.toMatchObject({ status: 401 })
  await expect(connect('down-200')).rejects.toMatchObject({ status: 503 })
  await expect(server.connect({ origin: 'https://evil.example' })).rejects.toMatchObject({ status: 403 })
  const pending = await server.connect()
  expect(guard.pending).toBe(1)
  await sendAuth(pending, 'good-300')
  expect(guard.pending).toBe(0)
  await present('good-100', 'ticket')
  const ticket = await present('good-100', 'ticket')
  await server.connect(ticket)
  await expect(server.connect(ticket)).rejects.toMatchObject({ status: 401 })
  await guard.revoke({ session: 's100' })
  return { ...set, stop }
}

/** What is measured: how often, and how long it took in all, in milliseconds. */
const measured = {
  'decision accepted': [3, 400],
  'decision refused': [4, 250],
  'decision waiting': [1, 0],
  'verification header accepted': [3, 300],
  'verification header rejected': [1, 50],
  'verification header failed': [1, 200],
  'verification message accepted': [1, 300],
  'verification ticket accepted': [1, 0],
  'verification ticket rejected': [1, 0],
}

describe('measurements', () => {
  it('tell of each piece of work once, with how long it took', async () => {
    const all: Measurement[] = []
    await work((guard) => guard.measure((measurement) => all.push(measurement)))
    const sums: Record<string, number[]> = {}
    for (const measurement of all) {
      if (measurement.type === 'ticket-issued') continue
      const { type, outcome, duration } = measurement
      const key = [type, ...(type === 'verification' ? [measurement.method] : []), outcome].join(' ')
      const [count = 0, ms = 0] = sums[key] ?? []
      sums[key] = [count + 1, ms + duration]
    }
    expect(sums).toEqual(measured)
    expect(all.filter(({ type }) => type === 'ticket-issued')).toHaveLength(2)
  })

  it('end when they are told to, and change nothing', async () => {
    const all: Measurement[] = []
    const { connect, stop, guard } = await work((guard) => guard.measure((measurement) => all.push(measurement)))
    guard.measure(() => {
      throw new Error('listener bug')
    })
    stop()
    const before = all.length
    await connect('good-1')
    await expect(connect('bad-1')).rejects.toMatchObject({ status: 401 })
    await expect(connect('down-1')).rejects.toMatchObject({ status: 503 })
    expect(all).toHaveLength(before)
  })

  it('are never of less than no time, when the clock is set back', async () => {
    let time = 1_000
    const clock = { now: () => time, after: testClock().after }
    const all: Measurement[] = []
    const { guard, server } = live({
      clock: { ...testClock(), ...clock },
      verify: () => {
        time -= 500
        return { identity: { id: 'ada' } }
      },
    })
    guard.measure((measurement) => all.push(measurement))
    await server.connect({ headers: { Authorization: 'Bearer x' } })
    expect(all.map((measurement) => 'duration' in measurement && measurement.duration)).toEqual([0, 0])
  })
})

describe('prometheusMetrics', () => {
  it('times the work, in seconds', async () => {
    const registry = new Registry()
    await work((guard) => prometheusMetrics(guard, { registry }))
    const series = await seriesOf(registry)
    for (const [key, [count, ms = 0]] of Object.entries(measured)) {
      const words = key.split(' ')
      const labels = words.length === 2 ? `outcome="${words[1]}"` : `method="${words[1]}",outcome="${words[2]}"`
      const metric = `sallyport_${words[0]}_duration_seconds`
      expect([key, series[`${metric}_count{${labels}}`]]).toEqual([key, count])
      expect(series[`${metric}_sum{${labels}}`]).toBeCloseTo(ms / 1_000)
      expect(series[`${metric}_bucket{le="+Inf",${labels}}`]).toBe(count)
    }
    const bucket = (le: string) => series[`sallyport_decision_duration_seconds_bucket{le="${le}",outcome="accepted"}`]
    expect([bucket('0.05'), bucket('0.1'), bucket('0.2'), bucket('0.5')]).toEqual([1, 2, 2, 3])
  })

  it('counts tickets', async () => {
    const registry = new Registry()
    await work((guard) => prometheusMetrics(guard, { registry }))
    const series = await seriesOf(registry)
    const tickets = ['issued', 'redeemed', 'refused'].map(
      (outcome) => series[`sallyport_tickets_total{outcome="${outcome}"}`],
    )
    expect(tickets).toEqual([2, 1, 1])
  })
})

describe('openTelemetryMetrics', () => {
  it('times the work, in seconds, and counts tickets', async () => {
    const sums: Record<string, number[]> = {}
    const units: unknown[] = []
    const add =
      (name: string) =>
      (value: number, attributes: Attributes = {}) => {
        const key = [name.replace(/^sallyport\.|\.duration$/g, ''), ...Object.values(attributes)].join(' ')
        const [count = 0, sum = 0] = sums[key] ?? []
        sums[key] = [count + 1, sum + value]
      }
    const meter: Pick<Meter, 'createCounter' | 'createHistogram' | 'createObservableGauge'> = {
      createCounter: (name) => ({ add: add(name) }),
      createHistogram: (name, options) => {
        units.push([options?.unit, options?.advice?.explicitBucketBoundaries?.at(0)])
        return { record: add(name) }
      },
      createObservableGauge: () => ({ addCallback: () => {}, removeCallback: () => {} }),
    }
    await work((guard) => openTelemetryMetrics(guard, meter as Meter))
    expect(units).toEqual([
      ['s', 0.001],
      ['s', 0.001],
    ])
    for (const [key, [count, ms = 0]] of Object.entries(measured)) {
      expect([key, sums[key]?.[0]]).toEqual([key, count])
      expect(sums[key]?.[1]).toBeCloseTo(ms / 1_000)
    }
    expect([sums['tickets issued'], sums['tickets redeemed'], sums['tickets refused']]).toEqual([
      [2, 2],
      [1, 1],
      [1, 1],
    ])
  })
})

const docs = new URL('../../../../docs/', import.meta.url)
const textOf = (name: string) => readFileSync(new URL(name, docs), 'utf8')

/** The metrics of prom-client after traffic: of each the labels, and of each label the values. */
async function metrics() {
  const registry = new Registry()
  await work((guard) => prometheusMetrics(guard, { registry }))
  const names = new Map<string, Map<string, string[]>>()
  for (const series of Object.keys(await seriesOf(registry))) {
    const [name = '', labels = ''] = series.split(/[{}]/)
    const known = names.get(name) ?? new Map<string, string[]>()
    for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
      known.set(label, [...(known.get(label) ?? []), value])
    }
    names.set(name, known)
  }
  return names
}

const addedByPrometheus = ['instance', 'job']

/** What an expression asks for that there is not: a metric, a label of it, or the value of a label. */
function unknownIn(expression: string, known: Awaited<ReturnType<typeof metrics>>): string[] {
  const grouped = /by \(([^)]*)\)/.exec(expression)?.[1]?.split(', ') ?? []
  const selectors = [...expression.matchAll(/\b(sallyport_\w+)(?:\{([^}]*)\})?/g)]
  if (selectors.length === 0) return ['no metric']
  return selectors.flatMap(([, name = '', matchers = '']) => {
    const labels = known.get(name)
    if (!labels) return [name]
    const asked = [...matchers.matchAll(/(\w+)(=~?)"([^"]*)"/g)]
    const values = asked.filter(
      ([, label = '', sign, value = '']) => sign === '=' && !labels.get(label)?.includes(value),
    )
    const names = [...grouped, ...asked.map(([, label = '']) => label)]
    return [
      ...names.filter((label) => !labels.has(label) && !addedByPrometheus.includes(label)),
      ...values.map(([matcher]) => matcher),
    ]
  })
}

describe('the alerts', () => {
  const rules = /```yaml\n(groups:.*?)```/s.exec(textOf('metrics.md'))?.[1] ?? ''
  const expressions = [...rules.matchAll(/^ +expr: (.+)$/gm)].map(([, expression = '']) => expression)

  it('ask for what the registry has, by labels and values that it has', async () => {
    const known = await metrics()
    expect(expressions).toHaveLength([...rules.matchAll(/- alert:/g)].length)
    for (const expression of expressions) expect([expression, unknownIn(expression, known)]).toEqual([expression, []])
    // The control.
    expect(unknownIn('sum by (code) (sallyport_store{state="broken"})', known)).toEqual(['code', 'state="broken"'])
    expect(unknownIn('rate(sallyport_refusals_total[5m])', known)).toEqual(['sallyport_refusals_total'])
  })

  it('and the pages name no other metric', async () => {
    const known = new Set([...(await metrics()).keys()].map((name) => name.replace(/_(bucket|sum|count)$/, '')))
    for (const name of ['metrics.md', 'runbook.md', 'scaling.md', 'migration.md', 'errors/pending.md']) {
      const named = textOf(name).match(/\bsallyport_[a-z_]+/g) ?? []
      const bases = named.map((metric) => metric.replace(/_(bucket|sum|count)$/, ''))
      expect([name, bases.filter((metric) => !known.has(metric))]).toEqual([name, []])
      expect(bases.length).toBeGreaterThan(0)
    }
  })
})

describe('the dashboard', () => {
  interface Panel {
    readonly id: number
    readonly title: string
    readonly description: string
    readonly datasource: { readonly type: string; readonly uid: string }
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
    readonly targets: readonly { readonly refId: string; readonly expr: string; readonly datasource: object }[]
  }
  const dashboard = JSON.parse(textOf('grafana/sallyport.json')) as {
    readonly uid: string
    readonly title: string
    readonly schemaVersion: number
    readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] }
    readonly panels: readonly Panel[]
  }
  const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))

  it('asks for what the registry has, by labels that it has', async () => {
    const known = await metrics()
    for (const expression of expressions) expect([expression, unknownIn(expression, known)]).toEqual([expression, []])
  })

  it('leaves no metric out', async () => {
    const base = (name: string) => name.replace(/_(bucket|sum|count)$/, '')
    const shown = new Set(expressions.flatMap((expression) => expression.match(/\bsallyport_\w+/g) ?? []).map(base))
    expect([...shown].sort()).toEqual([...new Set([...(await metrics()).keys()].map(base))].sort())
  })

  it('may be imported anywhere: a stable name, its data source to be chosen, and panels that lie side by side', () => {
    const { uid, title, schemaVersion, templating, panels } = dashboard
    expect({ uid, title }).toEqual({ uid: 'sallyport', title: 'Sallyport' })
    expect(schemaVersion).toBeGreaterThanOrEqual(36)
    expect(templating.list.map(({ name, type }) => [name, type])).toEqual([
      ['datasource', 'datasource'],
      ['job', 'query'],
    ])
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    for (const { datasource, targets, title, description } of panels) {
      for (const of of [datasource, ...targets.map((target) => target.datasource)]) {
        expect(of).toEqual({ type: 'prometheus', uid: expect.stringMatching(/^\$\{datasource\}$/) })
      }
      expect([title, description].every(Boolean)).toBe(true)
    }
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true)
  })
})
