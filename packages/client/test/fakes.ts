import { GuardedSocket, type GuardedSocketOptions, ticket, type UrlSource, type WebSocketLike } from '@sallyport/client'

/** Lets everything that is ready run: promises, microtasks, real callbacks that are due. */
export const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A clock that stands still until it is told to go on. */
export class FakeClock {
  #now = 0
  readonly #timers = new Set<{ at: number; callback: () => void }>()

  now(): number {
    return this.#now
  }

  get pending(): number {
    return this.#timers.size
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Goes on by `ms`, and fires what falls due on the way, in its order. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settled()
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
      if (!next) break
      this.#timers.delete(next)
      this.#now = next.at
      next.callback()
      await settled()
    }
    this.#now = end
  }

  /** Time passes while the machine sleeps: no timer fires, and each fires as much later as it slept. */
  sleep(ms: number): void {
    this.#now += ms
    for (const timer of this.#timers) timer.at += ms
  }
}

/** An `EventTarget` that has the listeners of a WebSocket. */
const FakeTarget = EventTarget as unknown as new () => Pick<EventTarget, 'dispatchEvent'> &
  Pick<WebSocketLike, 'addEventListener'>

/** An `auth` frame; nothing of any other message. */
const readFrame = (data: unknown): { nonce?: string } =>
  typeof data === 'string' && data.startsWith('{"type":"auth"') ? JSON.parse(data) : {}

/** A WebSocket whose server is the test. As strict about its arguments as a browser's. */
export class FakeSocket extends FakeTarget {
  readyState = 0
  protocol = ''
  extensions = ''
  bufferedAmount = 0
  binaryType = 'blob'
  readonly sent: unknown[] = []
  closedWith: { code: number | undefined; reason: string | undefined } | undefined
  readonly url: string
  readonly second: unknown
  readonly third: unknown

  constructor(url: string, second?: unknown, third?: unknown) {
    super()
    this.url = url
    this.second = second
    this.third = third
  }

  send(data: unknown): void {
    if (this.readyState === 0) throw new DOMException('Still connecting', 'InvalidStateError')
    if (this.readyState === 1) this.sent.push(data)
  }

  close(code?: number, reason?: string): void {
    if (code !== undefined && code !== 1000 && (code < 3000 || code > 4999)) {
      throw new DOMException('Bad code', 'InvalidAccessError')
    }
    if (Buffer.byteLength(reason ?? '') > 123) throw new DOMException('Long reason', 'SyntaxError')
    if (this.readyState >= 2) return
    this.readyState = 2
    this.closedWith = { code, reason }
  }

  /** The server completes the handshake. */
  open(protocol = ''): void {
    if (this.readyState === 0) this.readyState = 1
    this.protocol = protocol
    this.dispatchEvent(new Event('open'))
  }

  /** The server sends a message; in a frame of the protocol it says the client's nonce. */
  receive(data: unknown): void {
    const { nonce } = this
    const isFrame = nonce !== undefined && /^\{"type":"auth_\w+"/.test(String(data))
    this.relay(isFrame ? JSON.stringify({ ...JSON.parse(String(data)), nonce }) : data)
  }

  /** The server sends exactly this, which somebody else may have written. */
  relay(data: unknown): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }))
  }

  /** What stands in the frame that the client sent first. */
  get nonce(): string | undefined {
    return readFrame(this.sent[0]).nonce
  }

  /** What was sent, the frames of the protocol without their nonce. */
  get said(): unknown[] {
    return this.sent.map((data) => {
      const { nonce, ...frame } = readFrame(data)
      return nonce === undefined ? data : JSON.stringify(frame)
    })
  }

  /** A Close arrives, the first or the answer to ours. */
  end(code: number, reason = ''): void {
    this.readyState = 3
    this.dispatchEvent(Object.assign(new Event('close'), { code, reason, wasClean: code !== 1006 }))
  }

  /** An error, and nothing more. */
  fail(error?: Error): void {
    this.dispatchEvent(Object.assign(new Event('error'), { error }))
  }

  /** The connection breaks, or never comes to be. */
  break(): void {
    this.readyState = 3
    this.dispatchEvent(new Event('error'))
    this.end(1006)
  }
}

/** A WebSocket class and the sockets it made. */
export function fakeWebSocket() {
  const sockets: FakeSocket[] = []
  const WebSocket = class extends FakeSocket {
    constructor(url: string, second?: unknown, third?: unknown) {
      super(url, second, third)
      // Connecting or open: a second one must never be.
      live.most = Math.max(live.most, sockets.filter(({ readyState }) => readyState < 2).length + 1)
      sockets.push(this)
    }
  }
  const live = { most: 0 }
  return { WebSocket, sockets, live }
}

/** What an application sees, in order: the event's type, the state at that time, and what the event tells. */
export function record(socket: GuardedSocket) {
  const log: { type: string; readyState: number; event: Event & Record<string, unknown> }[] = []
  for (const type of ['authenticated', 'open', 'message', 'reconnecting', 'terminal', 'error', 'close']) {
    socket.addEventListener(type, (event) => {
      log.push({ type, readyState: socket.readyState, event: event as Event & Record<string, unknown> })
    })
  }
  return {
    log,
    types: () => log.map(({ type }) => type),
    /** The last event of a type; throws when there was none. */
    last(type: string) {
      const found = log.findLast((entry) => entry.type === type)
      if (!found) throw new Error(`There was no ${type}`)
      return found.event
    },
    count: (type: string) => log.filter((entry) => entry.type === type).length,
  }
}

/** A socket in front of a scripted server, with a ticket `t1`, `t2`, … for every attempt and the longest of all jitters. */
export function start(options: Partial<GuardedSocketOptions> = {}, url: UrlSource = 'wss://api.example.com/ws') {
  const clock = new FakeClock()
  const { WebSocket, sockets, live } = fakeWebSocket()
  let tickets = 0
  const reasons: string[] = []
  const credential = ticket(({ reason }) => {
    reasons.push(reason)
    return `t${++tickets}`
  })
  // Many a test is about what a socket would warn of.
  const debug = () => {}
  const socket = new GuardedSocket(url, { credential, WebSocket, clock, random: () => 1, debug, ...options })
  const events = record(socket)
  /** The newest of the sockets; throws when there is none. */
  const current = () => {
    const newest = sockets.at(-1)
    if (!newest) throw new Error('Nothing was dialled')
    return newest
  }
  /** Lets the attempt under way succeed. */
  const open = async () => {
    await settled()
    current().open(current().protocol)
    await settled()
  }
  /** Waits as long as the socket said it would. */
  const retry = () => clock.advance(Number(events.last('reconnecting').delayMs))
  return { socket, clock, sockets, live, reasons, events, current, open, retry }
}

/** A `fetch` that answers from a script, and records what it was asked. */
export function fakeFetch(...answers: (() => Response | Promise<Response>)[]) {
  const requests: { url: string; init: RequestInit }[] = []
  const fetch: typeof globalThis.fetch = async (input, init = {}) => {
    requests.push({ url: String(input), init })
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    if (!answer) throw new TypeError('No answer')
    return answer()
  }
  return { fetch, requests }
}

/** The answer of a ticket endpoint. */
export const issued = (value: string) => () => Response.json({ ticket: value, expiresIn: 30 }, { status: 201 })

/** A refusal of a ticket endpoint. */
export const refused =
  (status: number, headers: Record<string, string> = {}) =>
  () =>
    new Response(null, { status, headers })

/** An answer whose body breaks off on the way. */
export const brokenOff = (status: number) => () =>
  new Response(new ReadableStream({ start: (controller) => controller.error(new TypeError('terminated')) }), { status })
