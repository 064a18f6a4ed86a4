import type { Connection } from '../../connections/connection.js'
import { liveConnections } from '../../connections/of-guard.js'
import { checkedSocketOptions, type SocketOptions } from '../../connections/socket-options.js'
import { checkedGuard, type Guard } from '../../guard/guard.js'
import { fromFetch, fromNode } from '../../handshake/request.js'
import type { Identity } from '../../identity.js'
import { checkedObject } from '../../support/checked-kind.js'
import { type Admit, checkedAdmit } from '../../verifiers/admit.js'
import { Passage } from '../fetch/passage.js'
import {
  type CrosswsHooks,
  type CrosswsMessage,
  type CrosswsPeer,
  nodeRequestOf,
  type UpgradeAnswer,
  type UpgradeRequest,
  wireOf,
} from './peer.js'
import { gateOf } from './peer-gate.js'
import { headersOf, refuseUpgrade } from './upgrade-answer.js'

export type { CrosswsHooks, CrosswsMessage, CrosswsPeer, UpgradeAnswer, UpgradeRequest } from './peer.js'

/** Hooks of the application about its peers: those that were accepted. */
export interface PeerHooks<P, M> {
  /** A peer was accepted. While it answers a promise that has not settled, the messages of the peer wait. */
  open?(peer: P): unknown
  message?(peer: P, message: M): unknown
  close?(peer: P, details: { code?: number; reason?: string }): unknown
  error?(peer: P, error: Error): unknown
  /** Called by crossws 0.4, and not on every runtime; so are the two below. */
  drain?(peer: P): unknown
  ping?(peer: P, data: Uint8Array): unknown
  pong?(peer: P, data: Uint8Array): unknown
}

/** Hooks of the application, as those of crossws. */
export interface GuardedHooks<P, M> extends PeerHooks<P, M> {
  /**
   * Asked about a handshake that the guard does not refuse; who it is may not be known yet. A `Response`, answered or
   * thrown, refuses it. The subprotocol is the guard's to select.
   */
  upgrade?(request: UpgradeRequest): HookAnswer | Promise<HookAnswer>
}

/** What an `upgrade` hook answers. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook may answer nothing
export type HookAnswer = UpgradeAnswer | Response | undefined | void

/** Options of {@link guardedWebSocket}. */
export interface GuardedWebSocketOptions<I extends Identity, M> extends SocketOptions<I, M> {
  /** Says whether who it is may connect here, once that is known; as that of `guardServer`. Default: everybody may. */
  readonly admit?: Admit<I>
}

const passageKey = Symbol('passage')

/**
 * Guards a WebSocket route of crossws, as Nuxt, Nitro and h3 have them: its hooks see accepted peers alone. One that fails
 * closes its peer with 1011.
 *
 * ```ts
 * export default defineWebSocketHandler(
 *   guardedWebSocket(guard, {
 *     open: (peer) => peer.send(`hello ${connectionOf(guard, peer).identity.id}`),
 *     message: (peer, message) => peer.send(message.text()),
 *   }),
 * )
 * ```
 *
 * @throws ConfigurationError when an option cannot work
 */
export function guardedWebSocket<I extends Identity, P extends CrosswsPeer, M extends CrosswsMessage>(
  guard: Guard<I>,
  hooks: GuardedHooks<P, M>,
  options: GuardedWebSocketOptions<I, M> = {},
): CrosswsHooks<P, M> {
  const { clock } = checkedGuard('guardedWebSocket', guard)
  const connections = liveConnections(guard)
  checkedObject('guardedWebSocket', 'hooks', hooks, 'an object with hooks, such as { open, message }')
  const { dialect, ...route } = { ...checkedSocketOptions('guardedWebSocket', options), connections, clock }
  const admit = checkedAdmit('guardedWebSocket', options.admit)

  async function upgrade(request: UpgradeRequest) {
    const node = nodeRequestOf(request)
    const handshake = node ? fromNode(node) : fromFetch(request as Request, request.ip)
    const place = guard.enter(handshake)
    if ('reason' in place) return refuseUpgrade(request, clock, place)
    const passage = new Passage<I, M>(guard, admit, { handshake, place })
    // A reset ends the process where nobody listens, and crossws does not.
    node?.socket.on('error', ignore).once('close', () => passage.giveUp())
    try {
      const verdict = await guard.decide(handshake, admit)
      if (verdict.type === 'refuse' && verdict.by === 'status') {
        passage.giveUp()
        return refuseUpgrade(request, clock, verdict)
      }
      passage.decided(verdict)
      passage.expect()
      const theirs = verdict.type === 'refuse' ? undefined : await hooks.upgrade?.(request)
      if (theirs instanceof Response) throw theirs
      const { namespace } = theirs ?? {}
      return {
        headers: headersOf(request, verdict, theirs?.headers),
        // crossws 0.3 knows the context of the request alone.
        context: Object.assign(request.context ?? {}, theirs?.context, { [passageKey]: passage }),
        ...(namespace !== undefined && { namespace }),
      }
    } catch (error) {
      passage.giveUp()
      const response = error instanceof Error && 'response' in error ? error.response : error
      if (response instanceof Response) return response
      return refuseUpgrade(request, clock, guard.refuse(handshake, 'internal-error', error))
    }
  }

  /** The passage of a peer, who is there by now: told by whichever hook is called first. */
  function passageOf(peer: P): Passage<I, M> {
    const marked = peer.context as { [passageKey]?: Passage<I, M> }
    // Some runtimes lose the context on the way.
    marked[passageKey] ??= new Passage(guard, admit)
    const passage = marked[passageKey]
    if (passage.hasArrived) return passage
    const deliver = (message: M) => passage.watch(hooks.message?.(peer, message))
    const gate = gateOf<M>({ peer, dialect, protocol: passage.protocol, deliver })
    const handOver = () => {
      gate.show()
      return hooks.open?.(peer)
    }
    passage.arrive({ gate, options: { ...route, wire: wireOf<M>(peer) }, handOver })
    return passage
  }

  return {
    upgrade,
    open(peer) {
      passageOf(peer)
    },
    message: (peer, message) => passageOf(peer).take(message),
    close(peer, details) {
      const passage = passageOf(peer)
      passage.tell(() => hooks.close?.(peer, details))
      passage.closed()
    },
    error: (peer, error) => passageOf(peer).tell(() => hooks.error?.(peer, error)),
    drain: (peer) => passageOf(peer).tell(() => hooks.drain?.(peer)),
    ping: (peer, data) => passageOf(peer).tell(() => hooks.ping?.(peer, data)),
    pong: (peer, data) => passageOf(peer).tell(() => hooks.pong?.(peer, data)),
  }
}

/**
 * The connection of a peer that `guard` has accepted, live or over.
 *
 * @throws TypeError when it is no such peer
 */
export function connectionOf<I extends Identity>(
  guard: Guard<I>,
  { context }: Pick<CrosswsPeer, 'context'>,
): Connection<I> {
  const passage = (context as { readonly [passageKey]?: unknown })[passageKey]
  const connection = passage instanceof Passage ? passage.connectionIn(guard.connections) : undefined
  if (!connection) throw new TypeError('connectionOf: this guard has not accepted that peer')
  return connection
}

const ignore = () => {}
