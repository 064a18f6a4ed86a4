import { Counter, Gauge, type Registry, register } from 'prom-client'
import type { Guard } from '../guard/guard.js'
import type { Identity } from '../identity.js'
import { observe, storeStates } from './observe.js'

/** Options of {@link prometheusMetrics}. */
export interface PrometheusOptions {
  /** Default: the registry of prom-client that everybody shares. */
  readonly registry?: Registry
  /** What the names start with. Default `sallyport_`. */
  readonly prefix?: string
}

/**
 * Counts what a guard does, for Prometheus. Labels have fixed values only, whatever clients send:
 *
 * - `sallyport_accepted_total{method}`, `sallyport_refused_total{reason}`, `sallyport_renewed_total`,
 *   `sallyport_ended_total{code}`: counters;
 * - `sallyport_connections`: a gauge of the live connections of this node;
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
  new Gauge({
    name: `${prefix}connections`,
    help: 'Live connections of this node.',
    registers,
    collect() {
      this.set(guard.connections.size)
    },
  })
  new Gauge({
    name: `${prefix}store`,
    help: 'What this node knows of the store.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const state of storeStates) this.set({ state }, state === guard.health.store ? 1 : 0)
    },
  })
  return observe(guard, {
    accepted: (method) => accepted.inc({ method }),
    refused: (reason) => refused.inc({ reason }),
    renewed: () => renewed.inc(),
    ended: (code) => ended.inc({ code }),
  })
}
