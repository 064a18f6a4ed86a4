import type { IncomingMessage } from 'node:http'
import type { Reason } from '../refusals/reasons.js'
import type { Clock } from '../support/clock.js'
import { within } from '../support/within.js'

/** Where the body of a request is to be had. */
export type BodySource =
  | { readonly type: 'stream'; readonly chunks: Chunks }
  /** What a framework has made of it. */
  | { readonly type: 'parsed'; readonly value: unknown }
  /** Somebody has read it, and left nothing. */
  | { readonly type: 'gone' }

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** A body: its text, or what a framework has parsed it into. */
export type Body = { readonly text: string } | { readonly parsed: unknown }

/** What is wrong with a body. */
export interface BodyFault {
  readonly fault: Reason
}

const gone: BodySource = { type: 'gone' }
const empty: BodySource = { type: 'stream', chunks: [] }

/** A request of Node.js; of HTTP/2 it has a stream. */
interface NodeRequest extends IncomingMessage {
  readonly body?: unknown
  readonly stream?: { readonly endAfterHeaders?: boolean }
}

/** The body of a Node.js request. A parser that ran before us leaves its result in `body`, as Express and Nest have it. */
export function nodeBody(request: NodeRequest): BodySource {
  const { readableDidRead, body } = request
  // A parser may answer `{}` where there is none.
  if (!mayHaveBody(request)) return empty
  if (!readableDidRead) return { type: 'stream', chunks: request }
  return body === undefined ? gone : { type: 'parsed', value: body }
}

function mayHaveBody({ httpVersionMajor, headers, stream }: NodeRequest): boolean {
  // Where frames carry it, no header has to tell of it (RFC 9113 section 8.1).
  if (httpVersionMajor > 1) return stream?.endAfterHeaders !== true
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0
}

/** The body of a fetch `Request`. */
export function fetchBody({ body, bodyUsed }: Request): BodySource {
  if (bodyUsed || body?.locked) return gone
  return body ? { type: 'stream', chunks: body } : empty
}

const maxBytes = 16_384
// What is longer is still read so far, because a body that is left unread takes the response with it.
const maxDroppedBytes = 65_536
const timeout = 10_000
const late = new Error('the body is late')
const crowded = new Error('others need the place')

/**
 * Reads a body that is no longer than any of ours, for ten seconds at most. `onWait` is given what ends the reading before
 * that, which answers `false` when it is over.
 */
export async function readBody(
  source: BodySource,
  clock: Clock,
  onWait: (evict: () => boolean) => void,
): Promise<Body | BodyFault> {
  if (source.type === 'gone') return { fault: 'body-gone' }
  if (source.type === 'parsed') return fromParser(source.value)
  let isWaiting = true
  const evicted = new Promise<never>((_, reject) => {
    onWait(() => {
      reject(crowded)
      return isWaiting
    })
  })
  try {
    const text = await within(Promise.race([readText(source.chunks), evicted]), timeout, clock, () => late)
    return text === undefined ? { fault: 'body-too-large' } : { text }
  } catch (error) {
    if (error === crowded) return { fault: 'pending' }
    // Or the client has left in the middle of it.
    return { fault: error === late ? 'body-late' : 'body-malformed' }
  } finally {
    isWaiting = false
  }
}

function fromParser(value: unknown): Body {
  if (typeof value === 'string') return { text: value }
  return value instanceof Uint8Array ? { text: Buffer.from(value).toString() } : { parsed: value }
}

async function readText(body: Chunks): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes <= maxBytes) chunks.push(chunk)
    else if (bytes > maxDroppedBytes) break
  }
  return bytes <= maxBytes ? Buffer.concat(chunks).toString() : undefined
}
