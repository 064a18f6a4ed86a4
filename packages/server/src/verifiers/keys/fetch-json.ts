import { Buffer } from 'node:buffer'
import type { Clock } from '../../support/clock.js'
import { UnavailableError } from '../../support/errors.js'
import { within } from '../../support/within.js'

/**
 * The `fetch` of the runtime, or one like it, with a proxy or a certificate authority of your own. It must not follow
 * redirects, nor put the request into what it throws: that becomes the `cause` of an error.
 */
export type Fetch = (
  url: string,
  init: {
    readonly method?: string
    readonly headers: Record<string, string>
    readonly body?: string
    readonly redirect: 'manual'
    readonly signal: AbortSignal
  },
) => Promise<FetchedResponse>

/** What of a `Response` is looked at. */
export interface FetchedResponse {
  readonly status: number
  readonly redirected: boolean
  readonly body: { getReader(): ByteReader } | null
}

/** Reads a body piece by piece. */
export interface ByteReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
  cancel(): Promise<unknown>
}

/** What is sent to a server that we ask about credentials. */
export interface Question {
  readonly method?: string
  readonly headers: Record<string, string>
  readonly body?: string
}

/** How {@link fetchJson} asks, how long it waits and how much it takes. */
export interface FetchLimits {
  /** Milliseconds for the whole exchange. */
  readonly timeout: number
  /** Bytes of the body, decompressed. */
  readonly maxBytes: number
  readonly clock: Pick<Clock, 'after'>
  /** Default: that of the runtime. */
  readonly fetch?: Fetch | undefined
}

/** The server has answered with a status that is not 200. */
export class StatusError extends UnavailableError {
  constructor(
    where: string,
    readonly status: number,
  ) {
    super(`${where} answered ${status}`)
  }
}

/**
 * Fetches JSON from a server that we trust but that may be down, slow or broken. Anything but a 200 with JSON within the
 * limits is an `UnavailableError`; redirects are not followed. The error tells nothing of what was sent or received.
 */
export async function fetchJson(url: URL, question: Question, limits: FetchLimits): Promise<unknown> {
  const { timeout, maxBytes, clock, fetch: ask = fetch } = limits
  const where = `${url.origin}${url.pathname}`
  const exchange = new AbortController()
  async function answer(): Promise<unknown> {
    // `manual` hands us the 3xx itself, and unlike `error` every runtime knows it.
    const response = await ask(url.href, { ...question, redirect: 'manual', signal: exchange.signal })
    if (response.redirected) throw new UnavailableError(`${where} was left for another address`)
    if (response.status !== 200) throw new StatusError(where, response.status)
    const text = await readText(response, maxBytes)
    if (text === undefined) throw new UnavailableError(`${where} sent more than ${maxBytes} bytes`)
    const value = parse(text)
    if (value === undefined) throw new UnavailableError(`${where} did not send JSON`)
    return value
  }
  try {
    // The signal alone would trust a `fetch` of somebody else to look at it.
    return await within(answer(), timeout, clock, () => new UnavailableError(`${where} did not answer in time`))
  } catch (error) {
    if (error instanceof UnavailableError) throw error
    throw new UnavailableError(`${where} cannot be reached`, { cause: error })
  } finally {
    // Lets go of a body that was not read to its end.
    exchange.abort()
  }
}

// Drops a byte order mark (RFC 8259 section 8.1), and throws on what is no UTF-8.
const utf8 = new TextDecoder('utf-8', { fatal: true })

async function readText({ body }: FetchedResponse, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = body?.getReader()
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true }
    if (done || !value) return utf8.decode(Buffer.concat(chunks))
    // A `fetch` of somebody else may answer what has no length.
    if (!ArrayBuffer.isView(value)) throw new TypeError('the body has something else than bytes')
    size += value.byteLength
    if (size > maxBytes) {
      reader?.cancel().catch(() => {})
      return undefined
    }
    chunks.push(value)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
