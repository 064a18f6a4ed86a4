import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'

/** A request that is not answered as asked. The message goes to the client and says what to do instead. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  constructor(
    readonly status: number,
    message: string,
    readonly headers: OutgoingHttpHeaders = {},
  ) {
    super(message)
  }
}

/** Answers one request; throws {@link HttpError} where it will not. */
export type Handler = (req: IncomingMessage, res: ServerResponse) => void | Promise<void>

/** Sends JSON that no cache keeps. */
export function sendJson(res: ServerResponse, status: number, body: unknown, headers: OutgoingHttpHeaders = {}): void {
  const text = JSON.stringify(body)
  res.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...headers,
  })
  res.end(text)
}

/** Reads a JSON body of at most `limit` bytes: 415 for another media type, 413 for a longer one, 400 for bad JSON. */
export async function readJson(req: IncomingMessage, limit: number): Promise<unknown> {
  const mediaType = req.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (mediaType !== 'application/json') throw new HttpError(415, 'Send JSON, with Content-Type: application/json')
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    length += chunk.length
    // The rest of the body stays unread, so the connection cannot carry another request.
    if (length > limit) throw new HttpError(413, `Send at most ${limit} bytes`, { connection: 'close' })
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new HttpError(400, 'Send well-formed JSON')
  }
}
