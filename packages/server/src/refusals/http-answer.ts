import { type CodeName, codes } from '@sallyport/protocol'
import type { Reason } from './reasons.js'

/** An HTTP response as a value. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const goingDown = 'This node is going down. Wait as Retry-After says, then try again: another one will answer.'

/** What a caller does about it, in the body. One text for all causes of a bad credential. */
const advice: Partial<Record<CodeName, string>> = {
  unauthenticated: 'Present a valid credential, such as Authorization: Bearer …, or sign in again.',
  forbidden: 'This origin or identity may not connect here. List the origin in the options of the guard to allow it.',
  limited: 'Wait as Retry-After says, then try again.',
  unavailable: 'Nothing is wrong with the credential. Wait as Retry-After says, then try again.',
  restart: goingDown,
  goingAway: goingDown,
  badRequest: 'Ask in the form that the protocol describes.',
  methodNotAllowed: 'Use the method that Allow names.',
  upgradeRequired: 'Open a WebSocket of version 13 here.',
  notFound: 'Nothing is served at this path.',
}

/** The same where the form of the request is the cause: then the caller is told what is wrong with it. */
const adviceByReason: Partial<Record<Reason, string>> = {
  'handshake-headers': 'Send 500 header lines at most.',
  'handshake-repeated': 'Send each of Host, Origin, Authorization and Sec-WebSocket-Key once.',
  'handshake-version': 'Open a WebSocket over HTTP/1.1.',
  'handshake-target': 'Ask for a plain path: no host before it, no empty or dot segment, no needless escape.',
  'handshake-host': 'Send one Host: a name or an address, with or without a port.',
  'handshake-body': 'Send no body with a handshake.',
  'handshake-key': 'Send one Sec-WebSocket-Key: 16 bytes in base64.',
  'handshake-protocols': 'Send Sec-WebSocket-Protocol as a list: names with commas between them, each once.',
  'handshake-pipelined': 'Send a handshake when the request before it has been answered.',
  'fetch-metadata': 'Only a WebSocket may be opened here, and with a cookie only by a page of the same site.',
  'origin-missing': 'Send the Origin of your page with the cookie.',
  'credential-malformed':
    'Present the credential once, in printable ASCII without spaces, and with Authorization as Bearer.',
  'credentials-conflict': 'Present one credential, not two.',
  'credential-too-large': 'The credential is longer than limits.credentialBytes of the guard allows.',
  'body-malformed': 'Send {"connection":"…"}, or no body.',
  'body-too-large': 'Send a body of 16 KiB at most.',
  'body-late': 'Send the body within ten seconds.',
  'body-gone': 'Call the routes before what reads the body, or let it leave the result in request.body.',
  'connection-unknown': 'No connection of that id, or of your session, is open here.',
}

const extraHeaders: Partial<Record<CodeName, Readonly<Record<string, string>>>> = {
  unauthenticated: { 'WWW-Authenticate': 'Bearer' },
  limited: { 'Retry-After': '10' },
  unavailable: { 'Retry-After': '5' },
  // Another node takes it.
  restart: { 'Retry-After': '1' },
  goingAway: { 'Retry-After': '1' },
  upgradeRequired: { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
}

/** The HTTP response that tells a refusal: a JSON body `{ error, message }`, never cached. */
export function refusalAnswer(
  { code, reason }: { readonly code: CodeName; readonly reason?: Reason },
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  const row = codes[code]
  const status = 'status' in row ? row.status : codes.internal.status
  const message = (reason && adviceByReason[reason]) ?? advice[code] ?? row.reason
  return {
    status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...extraHeaders[code], ...headers },
    body: JSON.stringify({ error: code, message }),
  }
}
