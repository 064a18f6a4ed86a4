import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { checkedPath } from '../../handshake/path.js'
import { readTarget } from '../../handshake/request.js'
import { Lingering } from '../../limits/lingering.js'
import { refusalAnswer, toHttp1 } from '../../refusals/http-answer.js'
import type { Reason } from '../../refusals/reasons.js'
import type { Clock } from '../../support/clock.js'
import { ConfigurationError } from '../../support/errors.js'
import { type Refuse, refuse } from '../../verdict.js'
import { tapEvents } from './event-tap.js'
import { limitHeads } from './head-deadline.js'
import { limitNextHeads } from './next-heads.js'
import { limitRest } from './rest.js'
import { standInFor } from './stand-in.js'
import { unlessTaken } from './taken.js'

/** Takes the upgrades to a path. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>

/** A server with guarded paths. */
interface GuardedServer {
  readonly listeners: Map<string, UpgradeListener>
  /** Leaves the server as it was found. */
  readonly leave: () => void
}

const guardedServers = new WeakMap<Server, GuardedServer>()
const headTimeout = 10_000
const lingering = new Lingering()

/**
 * Takes the upgrades to `path` of a Node.js server: nobody else who listens there sees them, whoever was first. Other
 * paths are left to the server's other listeners, and refused when none of them takes them. From the first path on, the
 * heads of the server's requests have ten seconds.
 *
 * @returns a function that gives the path back
 * @throws ConfigurationError when it is no path, or taken
 */
export function claimUpgrades(server: Server, clock: Clock, path: string, onUpgrade: UpgradeListener): () => void {
  checkedPath('guardServer', path)
  const guarded = guardedServers.get(server) ?? guard(server, clock)
  const { listeners } = guarded
  if (listeners.has(path)) throw new ConfigurationError(`guardServer: ${path} is already guarded`)
  listeners.set(path, onUpgrade)
  return () => {
    // It may be another's by now.
    if (listeners.get(path) !== onUpgrade) return
    listeners.delete(path)
    if (listeners.size > 0) return
    guarded.leave()
    guardedServers.delete(server)
  }
}

function guard(server: Server, clock: Clock): GuardedServer {
  const listeners = new Map<string, UpgradeListener>()
  // The last sees each event first: the heads of upgrades that are ours count too.
  const leavings = [
    tapEvents(server, (event, args) => event === 'upgrade' && takes(...(args as Parameters<UpgradeListener>))),
    limitHeads(server, clock, headTimeout),
    limitNextHeads(server, clock, headTimeout),
  ]
  const standIn = standInFor(server, 'upgrade')

  /** Whether an upgrade is ours. */
  function takes(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    // A peer may reset the connection at any time from now on, which ends the process where nobody listens.
    socket.on('error', ignore)
    const target = request.url ?? ''
    const mark = target.indexOf('?')
    const pass = (listener: UpgradeListener) => {
      listener(request, socket, head).catch(() => socket.destroy())
    }
    const turnAway = () => {
      // What is no path belongs to nobody: any guard refuses it, and tells of it.
      const [anyListener] = listeners.values()
      if (anyListener && !readTarget(target)) pass(anyListener)
      else refuseSocket(socket, clock, refuse('path-unknown'))
    }
    const listener = listeners.get(mark === -1 ? target : target.slice(0, mark))
    if (listener) pass(listener)
    else if (standIn.isAlone) turnAway()
    else {
      unlessTaken(socket, clock, turnAway)
      return false
    }
    return true
  }

  const guarded = {
    listeners,
    leave() {
      standIn.leave()
      for (const leave of leavings.reverse()) leave()
    },
  }
  guardedServers.set(server, guarded)
  return guarded
}

/** Gives the socket of an upgrade to somebody who looks after its errors. */
export function releaseSocket(socket: Duplex): void {
  socket.off('error', ignore)
}

/** Writes a refusal and ends the connection, waiting a second at most for the peer to take it. */
export function refuseSocket(socket: Duplex, clock: Clock, refusal: Refuse): void {
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
