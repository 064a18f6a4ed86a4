import { type IncomingMessage, ServerResponse } from 'node:http'
import { checkedGuard, type Guard } from '../../guard/guard.js'
import { fromNode, readTarget } from '../../handshake/request.js'
import type { Identity } from '../../identity.js'
import { refusalAnswer } from '../../refusals/http-answer.js'
import { createRoutes } from '../../routes.js'
import { checkedObject } from '../../support/checked-kind.js'
import { checkedNumber } from '../../support/checked-number.js'
import { longestDelay } from '../../support/clock.js'
import type { Refuse } from '../../verdict.js'
import { type Admit, checkedAdmit } from '../../verifiers/admit.js'
import { claimUpgrades, refuseSocket } from '../node/upgrades.js'
import { Client, type Opening } from './client.js'
import { type Engine, type EngineRequest, type EngineResponse, insideOf } from './internals.js'
import { guardNamespace } from './namespaces.js'

export { connectionOf } from './connection-of.js'

/** A `Server` of `socket.io`, whatever events it knows. */
export interface SocketIoServer {
  readonly engine: object
  readonly httpServer: object
}

/** Options of {@link guardSocketIo}. */
export interface GuardSocketIoOptions<I extends Identity = Identity> {
  /**
   * Says whether who it is may enter a namespace, once that is known, in as much time as a verifier has:
   * `(identity, { params }) => params.namespace !== '/admin' || identity.isAdmin`. `false` or `{ reason }`, which events
   * tell, is a `connect_error` with 4003. Default: everybody may enter all that exist.
   */
  readonly admit?: Admit<I, { readonly namespace: string }>
  /** How long a client has to be accepted by one namespace, in milliseconds from its first request on. Default 5,000. */
  readonly connectTimeout?: number
}

/**
 * Guards all namespaces of a Socket.IO server, whatever transports its clients use: a socket reaches its middleware and
 * `connection` once the guard has accepted its client. Call it behind `new Server(server)`.
 *
 * A client shows who it is by `auth: { token }` (`firstMessage`), `auth: { ticket }`, `Authorization` header or cookie. It
 * is one connection of the guard, with all its namespaces; for each of them it shows who it is again. A refusal is a
 * `connect_error` whose `data` is `{ code, reason }`, as a WebSocket would be closed. The routes of the guard stand behind
 * the path of the server: `POST /socket.io/ticket`, `POST /socket.io/renew`.
 *
 * What a listener, a middleware or an acknowledgement of the application throws, also later, ends its client with 1011.
 *
 * @throws ConfigurationError when `io` is attached to no server of Node.js, is of a version that is not known or takes
 *   clients of version 2, its path is already guarded, or `connectTimeout` cannot work.
 */
export function guardSocketIo<I extends Identity>(
  io: SocketIoServer,
  guard: Guard<I>,
  options: GuardSocketIoOptions<I> = {},
): void {
  const inside = insideOf(io)
  const { clock } = checkedGuard('guardSocketIo', guard)
  checkedObject('guardSocketIo', 'options', options, 'an object of options, or leave it out')
  const { engine, httpServer, _opts: served } = inside
  const connectTimeout = checkedNumber(
    'guardSocketIo',
    'connectTimeout',
    options.connectTimeout ?? 5_000,
    1,
    longestDelay,
  )
  const path = served.addTrailingSlash === false ? inside.path() : `${inside.path()}/`
  const routes = createRoutes(guard, { path })
  const clients = new Map<string, Client<I>>()
  const openings = new WeakMap<IncomingMessage, Opening>()
  // Asked about namespaces only.
  const settings = {
    guard,
    admit: checkedAdmit('guardSocketIo', options.admit) as Admit<I> | undefined,
    connectTimeout,
  }

  /** Looks at a request before engine.io does. `true`: it may go on. */
  async function passes(request: EngineRequest, response: EngineResponse): Promise<boolean> {
    const handshake = fromNode(request)
    if (readTarget(handshake.target)?.path !== path) {
      if (!(response instanceof ServerResponse && (await routes.node(request, response)))) {
        refuse(request, response, guard.refuse(handshake, 'path-unknown'))
      }
      return false
    }
    // ws would answer with the first subprotocol it sees, which may be a credential.
    delete request.headers['sec-websocket-protocol']
    const { sid } = request._query
    if (!sid) return opens(request, response)
    const client = clients.get(sid)
    // Of an id that nobody has, engine.io says so.
    if (!client) return true
    const mark = await guard.recognize(handshake, client)
    if (typeof mark !== 'string') return refuse(request, response, mark)
    client.seen(handshake, mark, request.method === 'POST' || !(response instanceof ServerResponse))
    return true
  }

  async function opens(request: EngineRequest, response: EngineResponse): Promise<boolean> {
    const handshake = fromNode(request)
    const place = guard.enter(handshake)
    if ('reason' in place) return refuse(request, response, place)
    const leave = () => place.leave()
    response.once('close', leave)
    const mark = await guard.recognize(handshake)
    if (typeof mark !== 'string') {
      leave()
      return refuse(request, response, mark)
    }
    openings.set(request, { handshake, place, mark, onTaken: () => response.off('close', leave) })
    return !request.socket.destroyed
  }

  /** Answers a request that may not go on. */
  function refuse(request: IncomingMessage, response: EngineResponse, refusal: Refuse): false {
    if (!(response instanceof ServerResponse)) {
      refuseSocket(request.socket, clock, refusal)
      return false
    }
    const { status, headers, body } = refusalAnswer(refusal)
    // What was not read of the request would be taken for the next one.
    response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body), Connection: 'close' })
    response.end(body)
    return false
  }

  engine.use(async (request, response, next) => {
    if (await passes(request, response)) next()
  })
  engine.prependListener('connection', (connected: Engine) => {
    const opening = connected.request && openings.get(connected.request)
    if (!opening) return connected.close(true)
    opening.onTaken()
    clients.set(connected.id, new Client(settings, connected, opening))
    connected.once('close', () => clients.delete(connected.id))
  })
  const find = (connected: Engine) => clients.get(connected.id)
  for (const namespace of inside._nsps.values()) guardNamespace(inside, namespace, find)
  inside.on('new_namespace', (namespace) => guardNamespace(inside, namespace, find))
  claimUpgrades(httpServer, clock, {
    path,
    onUpgrade: async (request, socket, head) => engine.handleUpgrade(request, socket, head),
    refuse: (request, ...why) => guard.refuse(fromNode(request), ...why),
  })
}
