// What runs in the page: the client, and the words by which a test outside tells it what to do. Bundled as `visits`.
import {
  type Attempt,
  type Clock,
  type Credential,
  cookie,
  firstMessage,
  GuardedSocket,
  type GuardedSocketEventMap,
  header,
  lifecycle,
  type Outcome,
  renewal,
  type SocketError,
  subprotocol,
  systemClock,
  type TokenSource,
  ticket,
  token,
} from '@sallyport/client'
import { withoutCookie } from '../../page/handshake.js'

/** The ways in that a page has, and the one that it has not. */
const credentials = {
  ticket: (source, route) => ticket(route, { token: source }),
  'ticket by cookie': (_, route) => ticket(route),
  'first message': (source) => firstMessage(source),
  cookie: () => cookie(),
  'query token': (source) => token(source),
  subprotocol: (source) => subprotocol(source),
  header: (source) => header(source),
} satisfies Record<string, (source: TokenSource, ticketRoute: string) => Credential>

export type Way = keyof typeof credentials

/** What a visit is made of. */
export interface Visit {
  readonly way: Way
  /** Default: the `/ws` of the page's own server; for a first message by a name for which the page has no cookie. */
  readonly url?: string
  /** Default `/ws/ticket`. */
  readonly ticketUrl?: string
  /** Instead of the token of who is signed in, until it is reset. */
  readonly token?: string
  /** Signs in for so many seconds whenever it asks for a token. */
  readonly seconds?: number
  /** Who signs in then, instead of who is signed in. */
  readonly renewAs?: string
  readonly renew?: 'in band' | 'over HTTP'
  /** With `lifecycle()`: an application that did not run for so many milliseconds of its time was asleep. */
  readonly asleepMs?: number
  /** How much faster its time passes. */
  readonly speed?: number
  readonly binaryType?: 'arraybuffer'
}

/** An event, as a test outside can read it. */
export type Seen = {
  readonly type: keyof GuardedSocketEventMap
  readonly readyState: number
  readonly outcome?: Outcome
  /** Binary data as `{ is: 'Blob', bytes: […] }`. */
  readonly data?: string | { readonly is: string; readonly bytes: readonly number[] }
} & Partial<Pick<CloseEvent, 'code' | 'reason' | 'wasClean'>> & { readonly userId?: string; readonly delayMs?: number }

/** Whatever an event tells. */
type Happened = Partial<Omit<Seen, 'data'>> & { readonly data?: unknown; readonly error?: SocketError }

interface Running {
  readonly socket: GuardedSocket
  token: string | undefined
  /** Those that nobody has asked for yet. */
  readonly seen: Promise<Seen>[]
  /** Why each token was asked for. */
  readonly reasons: string[]
  wake(): void
}

const running: Running[] = []
let signedIn = { user: '', token: '' }

const types = ['open', 'message', 'close', 'error', 'authenticated', 'reconnecting', 'terminal'] as const

/** Signs in: the page has the token then, and the browser the cookie. */
export async function signIn(user: string, expiresIn = 3600): Promise<string> {
  const body = JSON.stringify({ user, expiresIn })
  const answer = await fetch('/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  signedIn = { user, token: (await answer.json()).token }
  return signedIn.token
}

/** Ends the session, and all that stands on it. */
export async function signOut(): Promise<void> {
  await fetch('/logout', { method: 'POST' })
}

/** Makes a socket and returns its number. */
export function open(visit: Visit): number {
  async function source({ reason }: Attempt): Promise<string> {
    run.reasons.push(reason)
    if (visit.renewAs && reason === 'renewal') return signIn(visit.renewAs)
    if (visit.seconds) return signIn(signedIn.user, visit.seconds)
    return run.token ?? signedIn.token
  }
  const { speed = 1 } = visit
  const url = visit.url ?? (visit.way === 'first message' ? `${withoutCookie()}/ws` : '/ws')
  const socket = new GuardedSocket(url, {
    credential: credentials[visit.way](source, visit.ticketUrl ?? '/ws/ticket'),
    clock: fasterClock(speed),
    timeoutMs: 20_000 * speed,
    reconnect: { baseMs: 100 * speed },
    ...(visit.way === 'subprotocol' && { protocols: 'sallyport-playground' }),
    ...(visit.renew && {
      renew: visit.renew === 'in band' ? renewal(source) : renewal('/ws/renew', { token: source }),
    }),
    ...(visit.asleepMs && { lifecycle: lifecycle({ asleepMs: visit.asleepMs }) }),
  })
  if (visit.binaryType) socket.binaryType = visit.binaryType
  const run: Running = { socket, token: visit.token, reasons: [], seen: [], wake() {} }
  for (const type of types) {
    socket.addEventListener(type, (event: object) => {
      run.seen.push(read(type, socket, event))
      run.wake()
    })
  }
  return running.push(run) - 1
}

/** The next event of that type; those before it are passed over. */
export async function next(id: number, type: Seen['type']): Promise<Seen> {
  const run = running[id]!
  for (;;) {
    for (let seen = run.seen.shift(); seen; seen = run.seen.shift()) {
      const event = await seen
      if (event.type === type) return event
    }
    await new Promise<void>((resolve) => {
      run.wake = resolve
    })
  }
}

/** Sends a line, or bytes. */
export function say(id: number, data: string | readonly number[]): void {
  running[id]!.socket.send(typeof data === 'string' ? data : Uint8Array.from(data))
}

/** Why tokens were asked for until now. */
export const reasons = (id: number): readonly string[] => running[id]!.reasons

/** What a `WebSocket` shows of itself. */
export function state(id: number) {
  const { url, readyState, protocol, bufferedAmount } = running[id]!.socket
  return { url, readyState, protocol, bufferedAmount }
}

/** For who is signed in now; what was seen before is passed over. */
export function reset(id: number): void {
  const run = running[id]!
  run.token = undefined
  run.seen.length = 0
  run.socket.reset()
}

export const close = (id: number): void => running[id]!.socket.close(1000)

/** Ends every socket. */
export function closeAll(): void {
  for (const { socket } of running) socket.close()
}

/** What a bare `WebSocket` shows of one connection that says a word, event by event. */
export function bare(url: string): Promise<readonly string[]> {
  const socket = new WebSocket(url)
  const seen: string[] = []
  socket.addEventListener('open', () => socket.send('go on'))
  return new Promise((resolve) => {
    for (const type of ['open', 'error', 'message'] as const) socket.addEventListener(type, () => seen.push(type))
    socket.addEventListener('close', ({ code, reason, wasClean }) => {
      resolve([...seen, `close ${code} ${reason} ${wasClean ? 'clean' : 'unclean'}`])
    })
  })
}

/** Token functions that fail: by a mistake, and without a network. */
const failing = {
  'a property of undefined': () => (undefined as unknown as { token: string }).token,
  'a property of null': () => (null as unknown as { token: string }).token,
  'a call of undefined': () => (undefined as unknown as () => string)(),
  'a name that is not there': () => (globalThis as unknown as { token: () => string }).token(),
  'no network': async () => (await fetch('/drop')).text(),
} satisfies Record<string, TokenSource>

export type Failing = keyof typeof failing

/** The outcome of a socket whose token function fails so. */
export async function outcomeOf(failure: Failing): Promise<Outcome> {
  const socket = new GuardedSocket('/ws', { credential: token(failing[failure]), reconnect: false })
  return new Promise((resolve) => {
    socket.addEventListener('terminal', ({ outcome }) => resolve({ kind: outcome.kind }))
  })
}

function fasterClock(speed: number): Clock {
  return {
    now: () => Date.now() * speed,
    after: (ms, callback) => systemClock.after(ms / speed, callback),
  }
}

async function read(type: Seen['type'], { readyState }: GuardedSocket, event: object): Promise<Seen> {
  const { code, reason, wasClean, data, userId, delayMs, error, ...rest } = event as Happened
  const outcome = rest.outcome ?? error?.outcome
  return {
    type,
    readyState,
    ...(type === 'close' && { code: code!, reason: reason!, wasClean: wasClean! }),
    ...(type === 'message' && { data: await readable(data) }),
    ...(outcome && { outcome: { ...outcome, cause: outcome.cause && String(outcome.cause) } }),
    ...(userId !== undefined && { userId }),
    ...(delayMs !== undefined && { delayMs }),
  }
}

async function readable(data: unknown): Promise<NonNullable<Seen['data']>> {
  if (typeof data === 'string') return data
  const buffer = data instanceof Blob ? await data.arrayBuffer() : (data as ArrayBuffer)
  return { is: data instanceof Blob ? 'Blob' : 'ArrayBuffer', bytes: Array.from(new Uint8Array(buffer)) }
}
