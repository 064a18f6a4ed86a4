import { Buffer } from 'node:buffer'
import type { Clock } from '../support/clock.js'
import { UnavailableError } from '../support/errors.js'

/** How long and how much {@link fetchJson} takes. */
export interface FetchLimits {
  /** Milliseconds for the whole exchange. */
  readonly timeout: number
  /** Bytes of the body, decompressed. */
  readonly maxBytes: number
  readonly clock: Pick<Clock, 'after'>
}

/**
 * Fetches JSON from a server that we trust but that may be down, slow or broken. Anything but a 200 with JSON within the
 * limits is an `UnavailableError`; redirects are not followed. The error tells nothing of what was sent or received.
 */
export async function fetchJson(url: URL, init: RequestInit, limits: FetchLimits): Promise<unknown> {
  const exchange = new AbortController()
  const cancelTimeout = limits.clock.after(limits.timeout, () => exchange.abort())
  const unavailable = (what: string, cause?: unknown) =>
    new UnavailableError(`${url.origin}${url.pathname} ${what}`, { cause })
  try {
    // `manual` hands us the 3xx itself, and unlike `error` every runtime knows it.
    const response = await fetch(url, { ...init, redirect: 'manual', signal: exchange.signal })
    if (response.status !== 200) throw unavailable(`answered ${response.status}`)
    const text = await readText(response, limits.maxBytes)
    if (text === undefined) throw unavailable(`sent more than ${limits.maxBytes} bytes`)
    const value = parse(text)
    if (value === undefined) throw unavailable('did not send JSON')
    return value
  } catch (error) {
    if (error instanceof UnavailableError) throw error
    throw unavailable(exchange.signal.aborted ? 'did not answer in time' : 'cannot be reached', error)
  } finally {
    cancelTimeout()
    // Lets go of a body that was not read to its end.
    exchange.abort()
  }
}

async function readText(response: Response, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
