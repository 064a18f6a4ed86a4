import { type Meter, metrics, type ObservableCallback } from '@opentelemetry/api'
import type { Guard } from '../guard/guard.js'
import type { Identity } from '../identity.js'
import { buckets, observe, storeStates } from './observe.js'

/**
 * Counts and times what a guard does, for OpenTelemetry: `sallyport.accepted` by `method`, `sallyport.refused` by `reason`,
 * `sallyport.renewed`, `sallyport.ended` by `code`, `sallyport.tickets` by `outcome`; the histograms
 * `sallyport.decision.duration` by `outcome` and `sallyport.verification.duration` by `method` and `outcome`, in seconds;
 * `sallyport.connections`, the live connections of this node, and `sallyport.pending`, its sockets and calls of the routes that
 * are not decided; and `sallyport.store` by `state`, which is 1 for the state of the store and 0 for the others.
 * Attributes have fixed values only, whatever clients send.
 *
 * @param meter Default: the meter `sallyport` of the global provider
 * @returns a function that ends it
 */
export function openTelemetryMetrics<I extends Identity>(
  guard: Guard<I>,
  meter: Meter = metrics.getMeter('sallyport'),
): () => void {
  const accepted = meter.createCounter('sallyport.accepted', { description: 'Connections that were accepted.' })
  const refused = meter.createCounter('sallyport.refused', { description: 'Requests and sockets that were refused.' })
  const renewed = meter.createCounter('sallyport.renewed', { description: 'Connections that were renewed.' })
  const ended = meter.createCounter('sallyport.ended', { description: 'Connections that the guard ended.' })
  const tickets = meter.createCounter('sallyport.tickets', { description: 'Tickets: issued, redeemed, refused.' })
  const histogram = (name: string, description: string) =>
    meter.createHistogram(`sallyport.${name}.duration`, {
      description,
      unit: 's',
      advice: { explicitBucketBoundaries: buckets },
    })
  const decisions = histogram('decision', 'How long the guard took to decide.')
  const verifications = histogram('verification', 'How long a verifier took to answer.')
  const pending = meter.createObservableGauge('sallyport.pending', { description: 'Undecided sockets and calls.' })
  const connections = meter.createObservableGauge('sallyport.connections', { description: 'Live connections.' })
  const store = meter.createObservableGauge('sallyport.store', { description: 'What this node knows of the store.' })
  const reportConnections: ObservableCallback = (result) => result.observe(guard.connections.size)
  const reportPending: ObservableCallback = (result) => result.observe(guard.pending)
  const reportStore: ObservableCallback = (result) => {
    for (const state of storeStates) result.observe(state === guard.health.store ? 1 : 0, { state })
  }
  connections.addCallback(reportConnections)
  pending.addCallback(reportPending)
  store.addCallback(reportStore)
  const stop = observe(guard, {
    accepted: (method) => accepted.add(1, { method }),
    refused: (reason) => refused.add(1, { reason }),
    renewed: () => renewed.add(1),
    ended: (code) => ended.add(1, { code }),
    ticket: (outcome) => tickets.add(1, { outcome }),
    decided: (outcome, seconds) => decisions.record(seconds, { outcome }),
    verified: (method, outcome, seconds) => verifications.record(seconds, { method, outcome }),
  })
  return () => {
    connections.removeCallback(reportConnections)
    pending.removeCallback(reportPending)
    store.removeCallback(reportStore)
    stop()
  }
}
