import type { Guard } from '../guard/guard.js'
import type { Identity } from '../identity.js'
import { helpAddress } from '../support/help.js'

/** Takes one line of the log, without a line break. */
export type WriteLine = (line: string) => void

const maxText = 200

/**
 * Writes one line of JSON for every refusal, for every connection that the guard ends or whose credential nobody could
 * look up again, and when the store goes out of reach or comes back. What came from a client is escaped and cut to 200 characters (the `detail` of a refusal: 500); no
 * credential is ever in it. A refusal has `help`: the address of the page about its reason.
 *
 * @returns a function that ends it
 */
export function logRefusals<I extends Identity>(guard: Guard<I>, write: WriteLine): () => void {
  const line = (fields: Record<string, string>, error?: unknown) => {
    const time = new Date(guard.clock.now()).toISOString()
    const cause = error === undefined ? {} : { error: error instanceof Error ? error.name : typeof error }
    write(JSON.stringify({ time, ...fields, ...cause }))
  }
  return guard.subscribe((event) => {
    if (event.type === 'refused') {
      const { id, reason, detail, address, path } = event
      line(
        {
          event: 'refused',
          id,
          reason,
          ...(detail && { detail }),
          address,
          path: path.slice(0, maxText),
          help: helpAddress(reason),
        },
        event.error,
      )
    } else if (event.type === 'ended') {
      const { connection, code, reason } = event
      const { id, address, method } = connection
      line(
        { event: 'ended', id, code, address, method, ...(reason && { reason: reason.slice(0, maxText) }) },
        event.error,
      )
    } else if (event.type === 'recheck-failed') {
      const { id, address, method } = event.connection
      line({ event: 'recheck-failed', id, address, method }, event.error)
    } else if (event.type === 'store') {
      line({ event: 'store', state: event.state })
    }
  })
}
