import { warnOfMistakes } from './debug.js'
import { GuardedSocket } from './guarded-socket.js'
import type { GuardedSocketOptions } from './options.js'
import { broken } from './outcome.js'
import { sizeOf } from './queue.js'
import { CLOSING, CONNECTING } from './ready-state.js'
import type { Sendable } from './web-socket-like.js'

/** A {@link GuardedSocket} to the letter of https://websockets.spec.whatwg.org, where that throws instead of helping. */
export class StandardSocket extends GuardedSocket {
  readonly #url: string
  /** What was sent after the end, and so never: it counts as buffered. */
  #lost = 0
  #givenUp = false

  constructor(url: string | URL, protocols: string | string[], options: Omit<GuardedSocketOptions, 'protocols'>) {
    const { href } = readUrl(url)
    // From a function, so that what can never work is the end of the socket, as it is of a WebSocket, and throws nothing.
    super(() => href, { debug: warnOfMistakes(console), ...options, protocols: readProtocols(protocols) })
    this.#url = href.replace(/^http/, 'ws')
    // They stand on the prototype, where nobody can write them.
    for (const name of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED']) Reflect.deleteProperty(this, name)
  }

  override get url(): string {
    // `debug` sees it before it is whole.
    return #url in this ? this.#url : ''
  }

  override get bufferedAmount(): number {
    return super.bufferedAmount + this.#lost
  }

  override get binaryType(): 'blob' | 'arraybuffer' {
    return super.binaryType
  }

  override set binaryType(type: 'blob' | 'arraybuffer') {
    if (type === 'blob' || type === 'arraybuffer') super.binaryType = type
  }

  override send(...data: [data?: Sendable]): void {
    if (data.length === 0) throw new TypeError('Nothing to send')
    if (this.readyState === CONNECTING) throw exception('InvalidStateError', 'Still connecting')
    const message = toMessage(data[0])
    if (this.readyState >= CLOSING) this.#lost += sizeOf(message)
    else super.send(message)
  }

  override close(input?: number, text?: string): void {
    const code = input && Number(input)
    const reason = text === undefined ? text : `${text}`
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw exception('InvalidAccessError', 'Use 1000 or 3000 to 4999')
    }
    if (reason && sizeOf(reason) > 123) throw exception('SyntaxError', 'A reason is 123 bytes at most')
    this.#givenUp ||= this.readyState === CONNECTING
    super.close(code, reason)
  }

  override reset(): void {
    this.#givenUp = false
    this.#lost = 0
    super.reset()
  }

  /** Events of the classes that the standard names, where the platform has them. */
  override dispatchEvent(event: Event): boolean {
    const { CloseEvent, MessageEvent } = globalThis as { CloseEvent?: EventClass; MessageEvent?: EventClass }
    // One that the application made stays as it is.
    if (event.constructor !== Event) return super.dispatchEvent(event)
    if (event.type === 'message' && 'data' in event && MessageEvent) {
      return super.dispatchEvent(new MessageEvent('message', event))
    }
    if (event.type !== 'close' || !('code' in event)) return super.dispatchEvent(event)
    const told = this.#givenUp ? Object.assign(event, broken) : event
    if (this.#givenUp) super.dispatchEvent(new Event('error'))
    return super.dispatchEvent(CloseEvent ? new CloseEvent('close', told) : told)
  }
}

type EventClass = new (type: string, init: Event) => Event

/** A `DOMException`; React Native has none. */
function exception(name: string, message: string): Error {
  return globalThis.DOMException ? new DOMException(message, name) : Object.assign(new Error(message), { name })
}

function readUrl(input: string | URL): URL {
  if (input === undefined) throw new TypeError('Not a URL')
  let url: URL
  try {
    url = new URL(input, globalThis.location?.href)
  } catch {
    throw exception('SyntaxError', 'Not a URL')
  }
  if (!/^(ws|http)s?:/.test(url.protocol)) throw exception('SyntaxError', 'Use wss: and https:')
  if (url.href.includes('#')) throw exception('SyntaxError', 'No fragment in a URL')
  return url
}

/** A token of RFC 9110 section 5.6.2. */
const token = /^[\w!#$%&'*+.^`|~-]+$/

function readProtocols(input: string | string[]): string[] {
  const protocols = (typeof input === 'string' ? [input] : [...input]).map(String)
  const isList = protocols.every((protocol, at) => token.test(protocol) && protocols.indexOf(protocol) === at)
  if (isList) return protocols
  throw exception('SyntaxError', 'Subprotocols are different tokens')
}

/** What is neither text nor bytes is text. */
function toMessage(data: unknown): Sendable {
  const { Blob } = globalThis
  const isBytes = data instanceof ArrayBuffer || ArrayBuffer.isView(data) || (Blob && data instanceof Blob)
  return isBytes ? (data as Sendable) : `${data}`
}
