import {
  type RawClient,
  type RawHeaders,
  rawFrame,
  rawOpen,
  rawRequest,
} from '../../packages/server/test/support/raw.js'
import type { Example } from './example.js'

/** Somebody who has signed in at an example. */
export interface Login {
  readonly user: string
  readonly token: string
  /** As a browser sends it. */
  readonly cookie: string
}

/** What came of a handshake. */
export interface Knock {
  readonly client: RawClient
  readonly status: number
  /** The subprotocol that was selected. */
  readonly protocol: string | undefined
}

/** Calls a route, with a body of JSON or none. */
export function call(example: Example, path: string, headers: RawHeaders = {}, body?: object) {
  const text = body ? JSON.stringify(body) : ''
  const type = body && { 'Content-Type': 'application/json' }
  const all = { Host: `127.0.0.1:${example.port}`, Connection: 'close', ...type, ...headers }
  const lines = Object.entries(all).flatMap(([name, value]) => [value ?? []].flat().map((line) => `${name}: ${line}`))
  const head = [`POST ${path} HTTP/1.1`, ...lines, `Content-Length: ${Buffer.byteLength(text)}`]
  return rawRequest(example.port, `${head.join('\r\n')}\r\n\r\n${text}`)
}

/** Signs in: in a session of its own, or in that of a cookie. */
export async function signIn(example: Example, user = 'ada', expiresIn = 3600, session?: string): Promise<Login> {
  const { body, headers } = await call(example, '/login', { Cookie: session }, { user, expiresIn })
  return { user, token: readJson(body).token as string, cookie: headers.get('set-cookie')?.split(';')[0] ?? '' }
}

export async function ticketFor(example: Example, { token }: Login): Promise<string> {
  const { body } = await call(example, '/ws/ticket', { Authorization: `Bearer ${token}` })
  return readJson(body).ticket as string
}

/** Knocks at the WebSocket route, for the protocol of the application. */
export async function knock(example: Example, query = '', headers: RawHeaders = {}): Promise<Knock> {
  const { port, words } = example
  const all = { Host: `127.0.0.1:${port}`, 'Sec-WebSocket-Protocol': words.protocol, ...headers }
  const { client, head } = await rawOpen(example.port, `/ws${query}`, all)
  return { client, status: head.status, protocol: head.headers.get('sec-websocket-protocol') }
}

export const say = (client: RawClient, text: string): void => client.write(rawFrame(text))

/** The first text of the server that is looked for. */
export async function hear(client: RawClient, isIt: (message: Message) => boolean): Promise<Message> {
  const find = () =>
    client
      .texts()
      .map((text) => JSON.parse(text) as Message)
      .find(isIt)
  await client.until(() => find() !== undefined)
  const heard = find()
  if (!heard) throw new Error(`the server ended without it; it said ${client.texts().join(' ')}`)
  return heard
}

/** A text of a server, which is JSON in whatever words. */
// biome-ignore lint/suspicious/noExplicitAny: the tests compare what they read
type Message = Record<string, any>

/** A body that may have come in chunks, whose lengths stand on lines of their own. */
const readJson = (body: string): Record<string, unknown> =>
  JSON.parse(body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1))
