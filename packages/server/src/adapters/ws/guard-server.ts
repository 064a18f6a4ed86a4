import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocketServer } from 'ws'
import { liveConnections } from '../../connections/of-guard.js'
import { checkedSocketOptions, type SocketOptions } from '../../connections/socket-options.js'
import { checkedGuard, type Guard } from '../../guard/guard.js'
import type { ParamsOf, RoutePath } from '../../handshake/path.js'
import { fromNode, type PathParams } from '../../handshake/request.js'
import type { Identity } from '../../identity.js'
import { checkedHandler, checkedObject } from '../../support/checked-kind.js'
import { ConfigurationError } from '../../support/errors.js'
import { type Admit, checkedAdmit } from '../../verifiers/admit.js'
import { claimUpgrades, type UpgradeRoute } from '../node/upgrades.js'
import { Arrival } from './arrival.js'
import { defaultWebSocketServer } from './default-server.js'
import { type Message, makeGateable, wire } from './gated-socket.js'
import { type ConnectionHandler, emitConnections } from './hand-over.js'
import { checkWebSocketServer, warnOfOthers } from './other-servers.js'

export { connectionOf } from './connection-of.js'
export type { Message } from './gated-socket.js'
export type { ConnectionHandler } from './hand-over.js'

/** Options of {@link guardServer}. */
export interface GuardServerOptions<I extends Identity = Identity, P extends RoutePath = RoutePath>
  extends SocketOptions<I, Message> {
  /**
   * The paths that the guard owns: no other listener of the server sees their upgrades. One, such as `/ws`, compared
   * exactly; a pattern such as `/yjs/:room`, whose parameters are one segment each, decoded; or a function that answers
   * the parameters of a path, `undefined` when it is none of the route's. Of two routes the first has what both match.
   */
  readonly path: P
  /**
   * Says whether who it is may connect here, once that is known, in as much time as a verifier has: `false` or
   * `{ reason }`, which events tell, is 403 or Close 4003. Default: everybody may.
   */
  readonly admit?: Admit<I, ParamsOf<P>>
  /**
   * A `WebSocketServer` of yours, made with `noServer: true`. Its options hold for accepted connections, whose class
   * extends its `WebSocket`, and its `clients` are those that were accepted. Default: one without compression, whose
   * messages are 1 MiB at most.
   */
  readonly webSocketServer?: WebSocketServer
}

/**
 * Guards the WebSocket route at `path` of a Node.js server: only accepted sockets reach `onConnection`. When it throws,
 * the connection is closed with 1011. Without it, they are told of by the `connection` event of your `webSocketServer`,
 * as ws does, for libraries that listen there: `useServer` of graphql-ws, `applyWSSHandler` of tRPC.
 *
 * The path is the guard's alone: no other listener of the server sees its upgrades, whoever came first. Those to paths
 * that no guard owns are left to the others, and get 404 when nobody takes them within a second; within ten where
 * somebody listens on the socket.
 *
 * @returns a function that takes the route off the server; live connections stay.
 * @throws ConfigurationError when a path is none or already guarded, or the `WebSocketServer` has a server of its own or is
 *   older than ws 8, or nobody takes the sockets, or an option or a dialect cannot work. Then the server is as it was.
 */
export function guardServer<I extends Identity, const P extends RoutePath>(
  server: Server,
  guard: Guard<I>,
  options: GuardServerOptions<I, P>,
  onConnection: ConnectionHandler<I, ParamsOf<P>>,
): () => void
/**
 * The same for a library that listens to a `WebSocketServer`: accepted sockets are told of by the `connection` event of
 * yours, as ws does.
 *
 * @returns a function that takes the route off the server; live connections stay.
 * @throws ConfigurationError as with a handler
 */
export function guardServer<I extends Identity, const P extends RoutePath>(
  server: Server,
  guard: Guard<I>,
  options: GuardServerOptions<I, P> & { readonly webSocketServer: WebSocketServer },
): () => void
export function guardServer<I extends Identity>(
  server: Server,
  guard: Guard<I>,
  options: GuardServerOptions<I>,
  handler?: ConnectionHandler<I>,
): () => void {
  checkedObject('guardServer', 'server', server, 'the server that createServer() answers', 'on', 'listeners')
  const { clock } = checkedGuard('guardServer', guard)
  const socketOptions = checkedSocketOptions('guardServer', options)
  const { path, webSocketServer = defaultWebSocketServer({ clientTracking: false }) } = options
  const admit = checkedAdmit('guardServer', options.admit)
  checkWebSocketServer(webSocketServer)
  const onConnection =
    handler === undefined ? handlerOf<I>(options.webSocketServer) : checkedHandler('guardServer', handler)
  const connections = liveConnections(guard)
  const route = { ...socketOptions, guard, connections, clock, admit, webSocketServer, onConnection, wire }

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer, params: PathParams) =>
    new Arrival(route, request, socket, head, params).proceed()
  const refuse: UpgradeRoute['refuse'] = (request, ...why) => guard.refuse(fromNode(request), ...why)
  const giveBack = claimUpgrades(server, clock, { path, onUpgrade, refuse })
  makeGateable(webSocketServer)
  const stopWatch = warnOfOthers(server)
  return () => {
    giveBack()
    stopWatch()
  }
}

function handlerOf<I extends Identity>(webSocketServer: WebSocketServer | undefined): ConnectionHandler<I> {
  if (webSocketServer) return emitConnections(webSocketServer)
  throw new ConfigurationError(
    'no-handler',
    'guardServer: nobody takes the sockets; give a handler or a webSocketServer',
  )
}
