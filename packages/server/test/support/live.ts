import { once } from 'node:events'
import {
  type Clock,
  cookie,
  createGuard,
  firstMessage,
  type GuardEvent,
  type GuardOptions,
  header,
  type Identity,
  query,
  type Store,
  subprotocol,
  ticket,
  type Verifier,
} from '@sallyport/server'
import { type ConnectOptions, type TestClient, type TestClock, testClock, testServer } from '@sallyport/server/testing'
import type { ConnectionHandler, GuardServerOptions } from '@sallyport/server/ws'
import type { WebSocket } from 'ws'
import { type Claims, credentialOf, verifyClaims } from './claims.js'
import { deferred } from './deferred.js'
import { origin } from './guard.js'

export { type Claims, credentialOf, verifyClaims } from './claims.js'

/** The methods of these tests. */
export type Way = 'header' | 'query' | 'cookie' | 'subprotocol' | 'ticket' | 'message'
export const ways: readonly Way[] = ['header', 'query', 'cookie', 'subprotocol', 'ticket', 'message']

const methodsOf = (verify: Verifier<Identity>) =>
  [
    ticket(),
    query({ verify, dangerouslyAllowLongLived: true }),
    header({ verify }),
    cookie({ name: 'session', verify }),
    subprotocol({ verify }),
    firstMessage({ verify }),
  ] as const

/** What differs from a guard and a server with the defaults. */
export interface LiveOptions
  extends Partial<Omit<GuardOptions<ReturnType<typeof methodsOf>>, 'accept' | 'clock' | 'store'>> {
  readonly clock?: TestClock
  readonly store?: (clock: Clock) => Store
  readonly verify?: Verifier<Identity>
  /** A method that the guard does not have. */
  readonly without?: Way
  readonly server?: Partial<GuardServerOptions<Identity>>
  readonly onConnection?: ConnectionHandler<Identity>
}

/** The text of an `auth` frame. */
export const authFrame = (token: string): string => JSON.stringify({ type: 'auth', token })

/**
 * A guard of all methods on a server without a network, its time in the test's hands, and everything that happens on it
 * written down.
 */
export function live({
  verify = verifyClaims,
  without,
  server: serverOptions,
  store,
  onConnection,
  clock = testClock(),
  ...options
}: LiveOptions = {}) {
  const accept = methodsOf(verify).filter(({ name }) => name !== without)
  const shared = store && { store: store(clock) }
  const guard = createGuard({ origins: [origin], protocols: ['app.v1'], ...options, ...shared, accept, clock })
  const events: GuardEvent[] = []
  guard.subscribe((event) => events.push(event))
  /** What the application gets to see, in order. */
  const seen: string[] = []
  /** The application's sockets, in order. */
  const sockets: WebSocket[] = []
  const handler: ConnectionHandler<Identity> = (socket, { identity }) => {
    sockets.push(socket)
    seen.push(`handler ${identity.id}`)
    socket.on('message', (data) => {
      seen.push(String(data))
      socket.send(`echo ${data}`)
    })
  }
  const server = testServer(guard, onConnection ?? handler, { clock, ...serverOptions })

  /** Connects with a credential, by a method, and waits until the guard has accepted it. */
  async function connect(claims: Claims | string = {}, way: Way = 'header', address?: string) {
    const credential = typeof claims === 'string' ? claims : credentialOf(claims)
    const client = await server.connect({ ...(await present(credential, way)), ...(address && { address }) })
    if (way === 'message') await sendAuth(client, credential)
    return client
  }

  async function present(credential: string, way: Way): Promise<ConnectOptions> {
    if (way === 'header') return { headers: { Authorization: `Bearer ${credential}` } }
    if (way === 'query') return { query: `token=${credential}` }
    if (way === 'cookie') return { origin, headers: { Cookie: `session=${credential}` } }
    if (way === 'subprotocol') {
      return { protocols: ['app.v1', `sallyport.bearer.${Buffer.from(credential).toString('base64url')}`] }
    }
    if (way === 'message') return {}
    const headers = { Authorization: `Bearer ${credential}` }
    const issued = (await (await server.fetch('/ws/ticket', { method: 'POST', headers })).json()) as { ticket: string }
    return { query: `ticket=${issued.ticket}` }
  }

  /** Calls the route that renews. */
  const renew = (credential: string, body?: object | string) =>
    server.fetch('/ws/renew', {
      method: 'POST',
      headers: { Authorization: `Bearer ${credential}` },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })

  const reasons = () => events.flatMap((event) => (event.type === 'refused' ? [event.reason] : []))
  const kinds = () => events.map(({ type }) => type)
  return { clock, guard, server, events, reasons, kinds, seen, sockets, connect, present, renew }
}

/** Sends an `auth` frame and waits for the answer. */
export async function sendAuth(client: TestClient<Identity>, credential: string): Promise<Record<string, unknown>> {
  client.send(authFrame(credential))
  for (;;) {
    const frame = JSON.parse(String(await client.receive())) as Record<string, unknown>
    if (frame.type !== 'auth_expiring') return frame
  }
}

/** Waits until each side has read all that the other has sent, or the socket is closed. */
export async function settled({ socket, closed }: TestClient<Identity>): Promise<void> {
  if (socket.readyState !== socket.OPEN) return
  const pong = once(socket, 'pong')
  socket.ping()
  await Promise.race([pong, closed])
}

/** Resolves at the next event of that type. */
export function nextEvent(
  guard: { subscribe(listener: (event: GuardEvent) => void): () => void },
  type: GuardEvent['type'],
): Promise<void> {
  const { promise, resolve } = deferred()
  const leave = guard.subscribe((event) => {
    if (event.type !== type) return
    leave()
    resolve()
  })
  return promise
}
