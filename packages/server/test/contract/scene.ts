import {
  createGuard,
  type Guard,
  type GuardEvent,
  type Identity,
  type RevocationTarget,
  UnavailableError,
  type Verifier,
} from '@sallyport/server'
import type { ConnectionHandler } from '@sallyport/server/ws'
import type { WebSocket } from 'ws'
import { type TestClock, testClock } from '../support/clock.js'
import { deferred } from '../support/deferred.js'
import { allMethods, verifyGood } from '../support/guard.js'
import { handshake } from '../support/handshake.js'

/** A live server whose WebSocket route is `/ws`. */
export interface ServerUnderTest {
  readonly url: string
  readonly port: number
  /** Stops it, where nobody else does. */
  readonly stop?: () => unknown
}

/** Starts a server with the adapter under test; it is stopped when the test is over. */
export type StartServer = (
  guard: Guard<Identity>,
  onConnection: ConnectionHandler<Identity>,
) => Promise<ServerUnderTest>

/** What a test wants of a server, in words that can be sent to another process. */
export interface Setting {
  /** What the application does with a connection. Default `record`. */
  readonly handler?: keyof Handlers
  /** What the verifier does about `good-ada`, or about everybody. Default: it answers. */
  readonly verifier?: 'holds' | 'holds ada' | 'is down' | 'fails' | undefined
  /** Whether no credential is a refusal. */
  readonly strict?: boolean
  readonly pendingSockets?: number
}

/** What becomes of an event, as far as a test asks. */
export type SeenEvent = Pick<GuardEvent, 'type'> & { readonly code?: string; readonly error?: string }

type Handlers = ReturnType<Scene['handlers']>

/** A server with the adapter under test, its guard and its application: in this process, or in another one. */
export type SceneControl = {
  [K in Exclude<keyof Scene, 'port' | 'handlers'>]: (
    ...args: Parameters<Scene[K]>
  ) => Promise<Awaited<ReturnType<Scene[K]>>>
} & { readonly port: number }

const bug = () => new Error('handler bug')

export class Scene {
  readonly port: number
  readonly #setting: Setting
  readonly #clock: TestClock
  readonly #guard: Guard<Identity>
  readonly #seen: string[] = []
  readonly #events: SeenEvent[] = []
  readonly #sockets = new Map<string, WebSocket>()
  readonly #asked = deferred()
  readonly #released = deferred()
  readonly #called = deferred()
  readonly #letGo = deferred()
  readonly #told = deferred<unknown>()
  readonly #request = deferred<unknown>()
  readonly #verified: unknown[] = []
  readonly #stop: (() => unknown) | undefined

  static async start(start: StartServer, setting: Setting): Promise<Scene> {
    let scene: Scene | undefined
    const clock = testClock()
    const { accept, limits, ...options } = allMethods((credential, context) => scene!.#verify(credential, context))
    const { strict, pendingSockets } = setting
    const guard: Guard<Identity> = createGuard({
      ...options,
      accept: strict ? accept.slice(0, -1) : accept,
      limits: { ...limits, ...(pendingSockets !== undefined && { pendingSockets }) },
      clock,
    })
    const server = await start(guard, (socket, connection, request) => scene!.#handle(socket, connection, request))
    scene = new Scene(setting, clock, guard, server)
    return scene
  }

  private constructor(setting: Setting, clock: TestClock, guard: Guard<Identity>, server: ServerUnderTest) {
    this.port = server.port
    this.#stop = server.stop
    this.#setting = setting
    this.#clock = clock
    this.#guard = guard
    guard.subscribe((event) => {
      const { type, code, error } = event as GuardEvent & { code?: string; error?: Error }
      this.#events.push({ type, ...(code && { code }), ...(error && { error: error.message }) })
    })
  }

  readonly #verify: Verifier<Identity> = (credential, context) => {
    const { verifier } = this.#setting
    this.#verified.push(context.handshake.request)
    const isAda = credential === 'good-ada'
    if (verifier === 'is down' && isAda) throw new UnavailableError('down')
    if (verifier === 'fails' && isAda) throw new Error('bug')
    if (verifier !== 'holds' && !(verifier === 'holds ada' && isAda)) return verifyGood(credential, context)
    this.#asked.resolve()
    return this.#released.promise.then(() => verifyGood(credential, context))
  }

  readonly #handle: ConnectionHandler<Identity> = (socket, connection, request) => {
    this.#sockets.set(connection.identity.id, socket)
    const handlers = this.handlers()
    const { handler = 'record' } = this.#setting
    // Those that fail do so for one alone.
    const isControl = handler.startsWith('fails') && connection.identity.id !== 'ada'
    return handlers[isControl ? 'echo' : handler](socket, connection, request)
  }

  handlers() {
    const echo: ConnectionHandler<Identity> = (socket) => {
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    }
    return {
      echo,
      record: (socket, { identity }) => {
        this.#seen.push(`handler ${identity.id}`)
        socket.on('message', (data, isBinary) => {
          this.#seen.push(String(data))
          socket.send(data, { binary: isBinary })
        })
      },
      who: (socket, { identity, method }) => {
        socket.send(`${identity.id} by ${method}`)
      },
      request: (_, __, request) => this.#request.resolve(request && aboutRequest(request, this.#verified)),
      tell: (_, connection) => {
        const { identity, session, expiresAt, path, origin, query, protocol } = connection
        const isListed = this.#guard.connections.get(connection.id) === connection
        const about = { identity, session, path, origin, query: query.toString(), protocol, isListed }
        this.#told.resolve({ ...about, expiresIn: (expiresAt ?? 0) - this.#clock.now() })
      },
      slow: async (socket, connection, request) => {
        this.#called.resolve()
        await this.#letGo.promise
        echo(socket, connection, request)
      },
      feed: async (socket) => {
        socket.send('feed')
        await new Promise(() => {})
      },
      'fails at once': () => {
        throw bug()
      },
      'fails by a promise': async () => {
        throw bug()
      },
      'fails late, already listening': async (socket) => {
        socket.on('message', () => {})
        await this.#letGo.promise
        throw bug()
      },
    } satisfies Record<string, ConnectionHandler<Identity>>
  }

  /** What the application got to see, in order. */
  seen(): string[] {
    return this.#seen
  }

  /** Resolves when the verifier that holds its answer back has been asked. */
  asked(): Promise<void> {
    return this.#asked.promise
  }

  /** Lets that verifier answer. */
  release(): void {
    this.#released.resolve()
  }

  /** Resolves when the slow handler was called. */
  called(): Promise<void> {
    return this.#called.promise
  }

  /** Lets the slow handler listen, and the late one fail. */
  letGo(): void {
    this.#letGo.resolve()
  }

  /** What the handler was told of its connection. */
  told(): Promise<unknown> {
    return this.#told.promise
  }

  /** What the handler was told of the request. */
  request(): Promise<unknown> {
    return this.#request.promise
  }

  async issueTicket(): Promise<string> {
    const issued = await this.#guard.issueTicket(handshake({ headers: [['authorization', 'Bearer good-ada']] }), '/ws')
    return 'ticket' in issued ? issued.ticket : ''
  }

  /** What has happened, as the guard tells it. */
  events(): SeenEvent[] {
    return this.#events
  }

  /** Resolves when an event of that type has come. */
  async until(type: string): Promise<void> {
    while (!this.#events.some((event) => event.type === type)) {
      await new Promise<void>((resolve) => {
        const leave = this.#guard.subscribe(() => {
          leave()
          resolve()
        })
      })
    }
  }

  /** Whose connections live. */
  connections(): string[] {
    return [...this.#guard.connections].map(({ identity }) => identity.id)
  }

  /** Sends by the socket of somebody. */
  send(id: string, text: string): void {
    this.#sockets.get(id)?.send(text)
  }

  /** Sends somebody who does not read so many mebibytes, or until that is too much. Answers whether it was. */
  flood(id: string, mebibytes: number): boolean {
    const isOver = () => this.#events.some(({ type, code }) => type === 'ended' && code === 'limited')
    const mebibyte = Buffer.alloc(1_048_576)
    for (let sent = 0; sent < mebibytes && !isOver(); sent++) this.#sockets.get(id)?.send(mebibyte)
    return isOver()
  }

  async revoke(target: RevocationTarget): Promise<number> {
    return (await this.#guard.revoke(target)).closed
  }

  /** Renews the connections of Ada's session. */
  async renew(): Promise<boolean> {
    return 'expiresIn' in (await this.#guard.renew(handshake({ headers: [['authorization', 'Bearer good-ada']] })))
  }

  /** Begins to drain. */
  drain(): void {
    void this.#guard.drain({ within: 0 })
  }

  advance(ms: number): void {
    this.#clock.advance(ms)
  }

  async stop(): Promise<void> {
    await this.#stop?.()
  }
}

/** What a request is about, whatever class it is of, and whether the verifier has seen the same. */
function aboutRequest(request: { readonly url?: string | undefined; readonly headers: unknown }, verified: unknown[]) {
  const { url = '', headers } = request
  const target = url.replace(/^http:\/\/[^/]*/, '')
  const xA = headers instanceof Headers ? headers.get('x-a') : (headers as Record<string, unknown>)['x-a']
  return { target, 'x-a': xA, isVerified: verified.length > 0 && verified.every((seen) => seen === request) }
}
