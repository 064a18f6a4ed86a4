import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { covers, overlap, type PathReader, pathReader, type RoutePath } from '../../handshake/path.js'
import { type PathParams, readTarget } from '../../handshake/request.js'
import { Lingering } from '../../limits/lingering.js'
import { refusalAnswer } from '../../refusals/http-answer.js'
import type { Reason } from '../../refusals/reasons.js'
import type { Clock } from '../../support/clock.js'
import { ConfigurationError } from '../../support/errors.js'
import { type Refuse, refuse } from '../../verdict.js'
import { tapEvents } from './event-tap.js'
import { limitHeads } from './head-deadline.js'
import { toHttp1 } from './http1.js'
import { limitNextHeads } from './next-heads.js'
import { watchResponses } from './owed.js'
import { limitRest } from './rest.js'
import { standInFor } from './stand-in.js'
import { unlessTaken } from './taken.js'

/** Takes the upgrades to the paths of a route. */
export interface UpgradeRoute {
  readonly path: RoutePath
  /** Takes the upgrade: at once, or it answers a promise when it has to think. */
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, params: PathParams): void | Promise<void>
  /** Says how to refuse an upgrade that the route is not asked about, and tells of it. */
  refuse(request: IncomingMessage, reason: Reason, error?: unknown): Refuse
}

/** A route whose paths can be read. */
interface Claim {
  readonly route: UpgradeRoute
  readonly read: PathReader
}

/** A server with guarded paths. */
interface GuardedServer {
  /** In the order they came: the first whose path it is takes an upgrade. */
  readonly claims: Claim[]
  /** Leaves the server as it was found. */
  readonly leave: () => void
}

const guardedServers = new WeakMap<Server, GuardedServer>()
const headTimeout = 10_000
const lingering = new Lingering()

/**
 * Takes the upgrades to the paths of a route of a Node.js server: nobody else who listens there sees them, whoever was
 * first. Other paths are left to the server's other listeners, and refused when none of them takes them. From the first
 * route on, the heads of the server's requests have ten seconds.
 *
 * @returns a function that gives the paths back
 * @throws ConfigurationError when it is no path, or another route has it
 */
export function claimUpgrades(server: Server, clock: Clock, route: UpgradeRoute): () => void {
  const claim: Claim = { route, read: pathReader('guardServer', route.path) }
  const guarded = guardedServers.get(server)
  for (const { route: other } of guarded?.claims ?? []) checkBeside(other, route)
  const { claims, leave } = guarded ?? guard(server, clock)
  claims.push(claim)
  return () => {
    const place = claims.indexOf(claim)
    if (place === -1) return
    claims.splice(place, 1)
    if (claims.length > 0) return
    leave()
    guardedServers.delete(server)
  }
}

function checkBeside({ path: first }: UpgradeRoute, { path }: UpgradeRoute): void {
  if (covers(first, path))
    throw new ConfigurationError('path-guarded', `guardServer: ${path} is already guarded as ${first}`)
  if (!overlap(first, path)) return
  process.emitWarning(`guardServer: ${first} and ${path} have paths in common, which are of ${first}: it came first`)
}

function guard(server: Server, clock: Clock): GuardedServer {
  const claims: Claim[] = []
  const owed = watchResponses(server)
  // The last sees each event first: the heads of upgrades that are ours count too.
  const leavings = [
    tapEvents(server, (event, args) => event === 'upgrade' && takes(...(args as Upgrade))),
    limitHeads(server, clock, headTimeout),
    limitNextHeads(server, clock, headTimeout),
    owed.leave,
  ]
  const standIn = standInFor(server, 'upgrade')

  /** Whether an upgrade is ours. */
  function takes(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const path = readTarget(request.url ?? '')?.path
    if (path !== undefined && claims.some((claim) => hands(claim, path, request, socket, head))) return true
    keepSocket(socket)
    const turnAway = () => {
      // What is no path belongs to nobody: any guard refuses it, and tells of it.
      const [any] = claims
      if (any && path === undefined) pass(any, {}, request, socket, head)
      else refuseInTurn(socket, refuse('path-unknown'))
    }
    if (!standIn.isAlone) {
      unlessTaken(socket, clock, turnAway)
      return false
    }
    turnAway()
    return true
  }

  /** Hands an upgrade to a route, if it is its own. */
  function hands(claim: Claim, path: string, ...[request, socket, head]: Upgrade): boolean {
    let params: PathParams | undefined
    try {
      params = claim.read(path)
    } catch (error) {
      refuseInTurn(socket, claim.route.refuse(request, 'internal-error', error))
      return true
    }
    if (params && owed.on(socket)) refuseInTurn(socket, claim.route.refuse(request, 'handshake-pipelined'))
    else if (params) pass(claim, params, request, socket, head)
    return params !== undefined
  }

  /** Refuses an upgrade behind the responses to the requests before it (RFC 9112 section 9.3.2). */
  function refuseInTurn(socket: Duplex, refusal: Refuse): void {
    keepSocket(socket)
    const response = owed.on(socket)
    if (response) response.once('close', () => refuseSocket(socket, clock, refusal))
    else refuseSocket(socket, clock, refusal)
  }

  function pass({ route }: Claim, params: PathParams, ...[request, socket, head]: Upgrade): void {
    try {
      const thinking = route.onUpgrade(request, socket, head, params)
      if (!thinking) return
      keepSocket(socket)
      thinking.catch(() => socket.destroy())
    } catch {
      socket.destroy()
    }
  }

  const guarded = {
    claims,
    leave() {
      standIn.leave()
      for (const leave of leavings.reverse()) leave()
    },
  }
  guardedServers.set(server, guarded)
  return guarded
}

type Upgrade = [request: IncomingMessage, socket: Duplex, head: Buffer]

/**
 * Looks after the errors of a socket that stays: its peer may reset the connection at any time, which ends the process
 * where nobody listens. What is done with a socket at once needs no such listener.
 */
function keepSocket(socket: Duplex): void {
  socket.on('error', ignore)
}

/** Gives a socket to somebody who looks after its errors. */
export function releaseSocket(socket: Duplex): void {
  socket.off('error', ignore)
}

/** Writes a refusal and ends the connection, waiting a second at most for the peer to take it. */
export function refuseSocket(socket: Duplex, clock: Clock, refusal: Refuse): void {
  keepSocket(socket)
  limitRest(socket)
  socket.end(responseFor(refusal))
  socket.once(
    'close',
    lingering.add(clock, () => socket.destroy()),
  )
}

/** The response of a reason is always the same: in a flood it is not written anew for each. */
function responseFor({ code, reason }: Refuse): string {
  let response = responses.get(reason)
  if (response === undefined) {
    response = toHttp1(refusalAnswer({ code, reason }, code === 'methodNotAllowed' ? { Allow: 'GET' } : {}))
    responses.set(reason, response)
  }
  return response
}

const responses = new Map<Reason, string>()
const ignore = () => {}
