import { Counter, Gauge, Histogram, type Registry, register } from 'prom-client'
import type { Guard } from '../guard/guard.js'
import type { Identity } from '../identity.js'
import { buckets, observe, storeStates } from './observe.js'

/** Options of {@link prometheusMetrics}. */
export interface PrometheusOptions {
  /** Default: the registry of prom-client that everybody shares. */
  readonly registry?: Registry
  /** What the names start with. Default `sallyport_`. */
  readonly prefix?: string
}

/**
 * Counts and times what a guard does, for Prometheus. Labels have fixed values only, whatever clients send:
 *
 * - `sallyport_accepted_total{method}`, `sallyport_refused_total{reason}`, `sallyport_renewed_total`,
 *   `sallyport_ended_total{code}`, `sallyport_tickets_total{outcome}` (`issued`, `redeemed`, `refused`): counters;
 * - `sallyport_decision_duration_seconds{outcome}` and `sallyport_verification_duration_seconds{method,outcome}`:
 *   histograms, by the guard's clock;
 * - `sallyport_connections` and `sallyport_pending`: gauges of the live connections of this node, and of its sockets and
 *   calls of the routes that are not decided;
 * - `sallyport_store{state}`: a gauge that is 1 for the state of the store, and 0 for the others.
 *
 * @returns a function that ends it; the metrics stay in the registry
 */
export function prometheusMetrics<I extends Identity>(guard: Guard<I>, options: PrometheusOptions = {}): () => void {
  const { registry = register, prefix = 'sallyport_' } = options
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name: `${prefix}${name}_total`, help, labelNames, registers })
  const accepted = counter('accepted', 'Connections that were accepted.', ['method'])
  const refused = counter('refused', 'Requests and pending sockets that were refused.', ['reason'])
  const renewed = counter('renewed', 'Connections that were renewed.', [])
  const ended = counter('ended', 'Connections that the guard ended.', ['code'])
  const tickets = counter('tickets', 'Tickets that were issued, redeemed, or refused when presented.', ['outcome'])
  const histogram = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Histogram({ name: `${prefix}${name}_duration_seconds`, help, labelNames, buckets, registers })
  const decisions = histogram('decision', 'How long the guard took to decide.', ['outcome'])
  const verifications = histogram('verification', 'How long a verifier took to answer.', ['method', 'outcome'])
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name: `${prefix}${name}`,
      help,
      registers,
      collect() {
        this.set(value())
      },
    })
  gauge('connections', 'Live connections of this node.', () => guard.connections.size)
  gauge('pending', 'Undecided sockets and calls of this node.', () => guard.pending)
  new Gauge({
    name: `${prefix}store`,
    help: 'What this node knows of the store.',
    labelNames: ['state'],
    registers,
    // Over the workers of a cluster, which count other things together.
    aggregator: 'max',
    collect() {
      for (const state of storeStates) this.set({ state }, state === guard.health.store ? 1 : 0)
    },
  })
  return observe(guard, {
    accepted: (method) => accepted.inc({ method }),
    refused: (reason) => refused.inc({ reason }),
    renewed: () => renewed.inc(),
    ended: (code) => ended.inc({ code }),
    ticket: (outcome) => tickets.inc({ outcome }),
    decided: (outcome, seconds) => decisions.observe({ outcome }, seconds),
    verified: (method, outcome, seconds) => verifications.observe({ method, outcome }, seconds),
  })
}
