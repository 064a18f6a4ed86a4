import { hkdfSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type Clock, createRoutes, type Health, systemClock } from '@sallyport/server'
import { redisStore } from '@sallyport/server/redis'
import { guardServer } from '@sallyport/server/ws'
import { Redis } from 'ioredis'
import { WebSocketServer } from 'ws'
import { welcome } from './application.js'
import type { Config } from './config.js'
import { createGate } from './gate.js'
import { sendJson } from './http.js'
import { liveTable } from './live.js'
import { ownUrls } from './local.js'
import { login, logout, resume } from './login.js'
import { loadPages, pageRoutes } from './pages.js'
import { logoutEverywhere, revokeConnection } from './revoke.js'
import { createRouter } from './router.js'
import { memorySessions, redisSessions } from './session-stores.js'
import { Sessions } from './sessions.js'
import { tokenSigner } from './tokens.js'

/** Options of {@link startPlayground}. */
export interface PlaygroundOptions extends Config {
  /** Where the built page is. Default: beside this file. */
  readonly pages?: URL
  /** Default: the system's clock. */
  readonly clock?: Clock
}

/** A running playground. */
export interface Playground {
  /** Where the page is, such as `http://127.0.0.1:8080`. */
  readonly url: string
  /**
   * Refuses new connections, closes the live ones as for a restart, spread over `within` milliseconds, and then the
   * server. Everything else answers until the last one is closed.
   */
  drain(within: number): Promise<void>
  /** Closes every connection and the server, also while they are drained. */
  close(): Promise<void>
}

const path = '/ws'
const maxMessageBytes = 65_536
const closeGrace = 500

/** Starts the playground. Rejects when it cannot listen there (`EADDRINUSE`, …). */
export async function startPlayground(options: PlaygroundOptions): Promise<Playground> {
  const { host, port, secret, redis, clock = systemClock } = options
  const pages = await loadPages(options.pages ?? new URL('./page/', import.meta.url))
  const nodes = redis && (await connectNodes(redis, secret))
  const server = createServer()
  const sockets = trackSockets(server)
  server.listen(port, host)
  await once(server, 'listening')

  // From here on nothing awaits: the first request finds everything in place.
  const own = ownUrls((server.address() as AddressInfo).port)
  const origins = own.map(({ origin }) => origin)
  const sessions = new Sessions(clock, nodes?.sessions ?? memorySessions(clock))
  const guard = createGate({ origins, secret, sessions, clock, ...(nodes && { store: nodes.store }) })
  const inside = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: maxMessageBytes })
  guardServer(server, guard, { path, webSocketServer: inside }, welcome)

  const sign = tokenSigner(secret, clock)
  const live = liveTable({ guard, sessions, origins })
  const revokeSession = async (session: string) => {
    await guard.revoke({ session })
  }
  const router = createRouter(
    [
      ['/login', { POST: login(sessions, sign, origins) }],
      ['/session', { POST: resume(sessions, sign, origins) }],
      ['/logout', { POST: logout(sessions, origins, revokeSession) }],
      ['/logout-everywhere', { POST: logoutEverywhere({ guard, sessions, origins }) }],
      ['/revoke', { POST: revokeConnection({ guard, sessions, origins }) }],
      ['/health', { GET: (_req, res) => tellHealth(res, guard.health) }],
      ['/connections', { GET: live.handler }],
      ...pageRoutes(pages, namesOf(own)),
    ],
    createRoutes(guard, { path }).node,
  )
  server.on('request', router)

  async function drain(within: number): Promise<void> {
    await guard.drain({ within })
    await close()
  }

  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= closeNow()
    return closing
  }

  async function closeNow(): Promise<void> {
    const closed = once(server, 'close')
    live.close()
    server.close()
    for (const socket of inside.clients) socket.close(1001, 'Going away')
    // Who does not take the Close, or still stands between the doors, is not waited for.
    const cancel = systemClock.after(closeGrace, () => {
      for (const socket of sockets) socket.destroy()
    })
    await closed
    cancel()
    nodes?.close()
  }

  return { url: origins[0]!, drain, close }
}

/** What the nodes of a Redis share. */
async function connectNodes(url: URL, secret: Uint8Array) {
  const client = new Redis(url.href, {
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    commandTimeout: 500,
    socketTimeout: 2_000,
  })
  // What breaks shows in /health, and the client connects again by itself.
  client.on('error', () => {})
  // Whether it was reached or not: the first to come should not be refused because nobody has tried yet.
  await new Promise((resolve) => client.once('ready', resolve).once('close', resolve))
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'sallyport-playground-store', 32))
  return {
    store: redisStore({ client, secret: key, prefix: 'sallyport-playground' }),
    sessions: redisSessions(client),
    close: () => client.disconnect(),
  }
}

/** `GET /health`: 200 while this node takes connections, 503 while it does not. */
function tellHealth(res: ServerResponse, { store, draining }: Health): void {
  const ok = store !== 'unavailable' && !draining
  sendJson(res, ok ? 200 : 503, { status: ok ? 'ok' : 'unavailable', store, draining })
}

/** The open TCP connections of a server, upgraded ones among them. */
function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}

/** The hosts that a content security policy can name: its grammar has no IPv6 addresses. */
const namesOf = (own: readonly URL[]): string[] =>
  own.filter(({ hostname }) => !hostname.startsWith('[')).map(({ host }) => host)
