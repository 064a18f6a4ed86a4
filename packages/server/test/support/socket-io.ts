import { once } from 'node:events'
import {
  createServer,
  type Server as HttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
  request,
} from 'node:http'
import type { AddressInfo, Socket as TcpSocket } from 'node:net'
import { createGuard, type GuardEvent, type GuardOptions, type Identity } from '@sallyport/server'
import { type GuardSocketIoOptions, guardSocketIo } from '@sallyport/server/socket-io'
import { testClock } from '@sallyport/server/testing'
import { Server, type ServerOptions, type Socket } from 'socket.io'
import { type Socket as ClientSocket, Manager, type ManagerOptions, type SocketOptions } from 'socket.io-client'
import { onTestFinished } from 'vitest'
import { verifyClaims } from './claims.js'
import { allMethods } from './guard.js'
import { type RawHeaders, rawOpen } from './raw.js'

/** What differs from a guarded server with the defaults. */
export interface SocketIoOptions {
  readonly io?: Partial<ServerOptions>
  readonly guard?: Partial<Omit<GuardOptions<ReturnType<typeof allMethods>['accept']>, 'clock'>>
  readonly options?: GuardSocketIoOptions<Identity>
  readonly server?: HttpServer
  /** Called before the guard comes. */
  readonly before?: (io: Server) => void
  /** Whether there is no guard. */
  readonly unguarded?: boolean
}

/** A Socket.IO server whose sockets echo, all methods let in by what their credentials say, its time in the test's hands. */
export async function startSocketIo({
  io: ioOptions,
  guard: changes,
  options,
  server,
  before,
  unguarded,
}: SocketIoOptions = {}) {
  const clock = testClock()
  const guard = createGuard({ ...allMethods(verifyClaims), ...changes, clock })
  const events: GuardEvent[] = []
  guard.subscribe((event) => events.push(event))
  const httpServer = server ?? createServer((_, response) => void response.writeHead(404).end())
  const io = new Server(httpServer, ioOptions)
  /** The application's sockets, in order. */
  const sockets: Socket[] = []
  /** What it gets to see, in order. */
  const seen: string[] = []
  before?.(io)
  if (!unguarded) guardSocketIo(io, guard, options)
  const onConnection = (socket: Socket) => {
    sockets.push(socket)
    socket.on('say', (text: string, answer?: (text: string) => void) => {
      seen.push(text)
      if (answer) answer(`echo ${text}`)
      else socket.emit('said', `echo ${text}`)
    })
  }
  io.on('connection', onConnection)
  const open = new Set<TcpSocket>()
  httpServer.on('connection', (socket) => open.add(socket))
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    void io.close()
  })
  if (!httpServer.listening) {
    httpServer.listen(0, '127.0.0.1')
    await once(httpServer, 'listening')
  }
  const { port } = httpServer.address() as AddressInfo
  const reasons = () => events.flatMap((event) => (event.type === 'refused' ? [event.reason] : []))
  return {
    clock,
    guard,
    events,
    reasons,
    io,
    httpServer,
    sockets,
    seen,
    onConnection,
    port,
    url: `http://127.0.0.1:${port}`,
  }
}

/** What a client presents, and how it comes. */
export interface ClientOptions extends Partial<ManagerOptions & SocketOptions> {
  readonly namespace?: string
  readonly manager?: Manager
}

/** A stock client that does not come again by itself, which keeps all that it hears. */
export function clientOf(url: string, { namespace = '/', manager: shared, ...options }: ClientOptions = {}) {
  const manager = shared ?? new Manager(url, { autoConnect: false, reconnection: false, ...options })
  const socket = manager.socket(namespace, options)
  const heard: unknown[][] = []
  socket.onAny((...args: unknown[]) => heard.push(args))
  onTestFinished(() => {
    socket.disconnect()
  })
  return { manager, socket, heard }
}

/** Connects; rejects with what a `connect_error` says. */
export async function connect(url: string, options?: ClientOptions) {
  const client = clientOf(url, options)
  await opened(client.socket)
  return client
}

/** Connects a socket of a client. */
export function opened(socket: ClientSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('connect_error', reject)
    socket.connect()
  })
}

/** Why a client may not come in. */
export async function refusal(url: string, options?: ClientOptions): Promise<unknown> {
  const error: unknown = await connect(url, options).then(
    () => 'accepted',
    (error) => error,
  )
  return error instanceof Error && 'data' in error ? error.data : error
}

/** Waits until a socket has changed its transport for the last one, and the server may write to it. */
export async function settled({ conn }: Socket, transport: string): Promise<void> {
  if (conn.transport.name !== transport) await once(conn, 'upgrade')
  if (!conn.transport.writable) await once(conn.transport, 'ready')
}

/** The next event of that name. */
export const nextOf = (socket: ClientSocket, event: string): Promise<unknown[]> =>
  new Promise((resolve) => socket.once(event, (...args: unknown[]) => resolve(args)))

/** An answer to a request of a raw client. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** A client that polls, as the wire has it (engine.io-protocol 4), with whatever headers. */
export class RawPolling {
  readonly #port: number
  readonly #headers: OutgoingHttpHeaders
  sid = ''

  private constructor(port: number, headers: OutgoingHttpHeaders) {
    this.#port = port
    this.#headers = headers
  }

  /** Opens one. */
  static async open(port: number, headers: OutgoingHttpHeaders = {}, query = ''): Promise<RawPolling> {
    const client = new RawPolling(port, headers)
    const { status, text } = await client.#ask('GET', '', {}, query)
    if (status !== 200) throw new Error(`${status} ${text}`)
    client.sid = (JSON.parse(text.slice(1)) as { sid: string }).sid
    return client
  }

  /** Somebody who has read the id of another's client. */
  thief(headers: OutgoingHttpHeaders = {}): RawPolling {
    const thief = new RawPolling(this.#port, headers)
    thief.sid = this.sid
    return thief
  }

  /** Sends packets. */
  post(body: string, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    return this.#ask('POST', body, headers)
  }

  /** Waits for packets. */
  poll(headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    return this.#ask('GET', '', headers)
  }

  /** Asks for a WebSocket; answers the status. */
  upgrade(headers: RawHeaders = {}): Promise<number> {
    const own = this.#headers as RawHeaders
    const target = `/socket.io/?EIO=4&transport=websocket&sid=${this.sid}`
    return rawOpen(this.#port, target, { ...own, ...headers }).then(({ client, head }) => {
      client.destroy()
      return head.status
    })
  }

  #ask(method: string, body: string, headers: OutgoingHttpHeaders, query = ''): Promise<Answer> {
    const sid = this.sid && `&sid=${this.sid}`
    const path = `/socket.io/?EIO=4&transport=polling${sid}${query}`
    return ask(this.#port, path, { method, headers: { ...this.#headers, ...headers } }, body)
  }
}

/** Sends one request on a connection of its own. */
export async function ask(port: number, path: string, options: RequestOptions = {}, body = ''): Promise<Answer> {
  const asked = request({ port, host: '127.0.0.1', path, agent: false, ...options })
  asked.end(body)
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return { status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() }
}
