import { type Meter, metrics, type ObservableCallback } from '@opentelemetry/api'
import type { Guard } from '../guard/guard.js'
import type { Identity } from '../identity.js'
import { observe, storeStates } from './observe.js'

/**
 * Counts what a guard does, for OpenTelemetry: `sallyport.accepted` by `method`, `sallyport.refused` by `reason`,
 * `sallyport.renewed`, `sallyport.ended` by `code`; `sallyport.connections`, the live connections of this node; and
 * `sallyport.store` by `state`, which is 1 for the state of the store and 0 for the others.
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
  const connections = meter.createObservableGauge('sallyport.connections', { description: 'Live connections.' })
  const store = meter.createObservableGauge('sallyport.store', { description: 'What this node knows of the store.' })
  const reportConnections: ObservableCallback = (result) => result.observe(guard.connections.size)
  const reportStore: ObservableCallback = (result) => {
    for (const state of storeStates) result.observe(state === guard.health.store ? 1 : 0, { state })
  }
  connections.addCallback(reportConnections)
  store.addCallback(reportStore)
  const stop = observe(guard, {
    accepted: (method) => accepted.add(1, { method }),
    refused: (reason) => refused.add(1, { reason }),
    renewed: () => renewed.add(1),
    ended: (code) => ended.add(1, { code }),
  })
  return () => {
    connections.removeCallback(reportConnections)
    store.removeCallback(reportStore)
    stop()
  }
}
