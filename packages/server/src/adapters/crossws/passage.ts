import { AcceptedSocket, type AcceptedSocketOptions } from '../../connections/accepted-socket.js'
import type { LiveConnection } from '../../connections/live-connection.js'
import type { Wire } from '../../connections/wire.js'
import type { Dialect } from '../../dialects/dialect.js'
import type { Handshake } from '../../handshake/request.js'
import type { Identity } from '../../identity.js'
import type { Place } from '../../limits/pending.js'
import { type Await, refuse, type Verdict } from '../../verdict.js'
import type { Admit } from '../../verifiers/admit.js'
import { type CrosswsMessage, type CrosswsPeer, wireOf } from './peer.js'
import { gateOf, type PeerGate } from './peer-gate.js'

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

/** What holds for all peers of a route. */
export interface PeerRoute<I extends Identity, P, M> extends Omit<AcceptedSocketOptions<I, M>, 'wire'> {
  readonly hooks: PeerHooks<P, M>
  readonly admit?: Admit<I>
  readonly dialect: Dialect
}

/** What waits for a peer, or for the verdict on it. */
interface Expected<I extends Identity> {
  readonly handshake: Handshake
  readonly place: Place
  readonly verdict?: Verdict<I>
}

/** What is handed over to the application. */
interface HandOver<I extends Identity, M extends CrosswsMessage> {
  readonly gate: PeerGate<M>
  readonly connection: LiveConnection<I>
  readonly wire: Wire<M>
  /** The messages to deliver first. */
  readonly kept: M[]
}

// As long as the head of a request may take.
const maxAbsence = 10_000

/** The way of a peer, from its handshake to its end. The peer comes later than the verdict, or never. */
export class Passage<I extends Identity, P extends CrosswsPeer, M extends CrosswsMessage> {
  readonly #route: PeerRoute<I, P, M>
  /** Let go of when its peer is there: it holds the handshake, whose credentials the peer must not outlive. */
  #expected: Expected<I> | undefined
  #cancelTimer = () => {}
  #gate: PeerGate<M> | undefined
  #accepted: AcceptedSocket<I, M> | undefined

  /** @param expected absent for a peer whose handshake nobody knows: it is turned away */
  constructor(route: PeerRoute<I, P, M>, expected?: Expected<I>) {
    this.#route = route
    this.#expected = expected
  }

  /** The verdict is there, and the peer is to come. */
  decided(verdict: Verdict<I>): void {
    const { clock, connections } = this.#route
    if (this.#expected) {
      this.#expected = { ...this.#expected, verdict }
      this.#cancelTimer = clock.after(maxAbsence, () => this.giveUp())
    } else {
      connections.abandon(verdict)
    }
  }

  /** Gives back what it has taken: no peer comes. */
  giveUp(): void {
    const expected = this.#take()
    expected?.place.leave()
    if (expected?.verdict) this.#route.connections.abandon(expected.verdict)
  }

  #take(): Expected<I> | undefined {
    const expected = this.#expected
    this.#expected = undefined
    this.#cancelTimer()
    return expected
  }

  /** The peer is there: told by whichever hook is called first. */
  arrive(peer: P): void {
    if (this.#gate) return
    const expected = this.#take()
    const verdict = expected?.verdict ?? refuse('internal-error')
    const deliver = (message: M) => this.#watch(this.#route.hooks.message?.(peer, message))
    const gate = gateOf<M>({ peer, dialect: this.#route.dialect, protocol: verdict.protocol, deliver })
    this.#gate = gate
    if (expected && verdict.type === 'await') {
      this.#wait(peer, gate, verdict, expected)
      return
    }
    expected?.place.leave()
    const { connections } = this.#route
    if (expected && verdict.type === 'accept') {
      const connection = connections.open(verdict, expected.handshake, gate)
      if (connection) this.#handOver(peer, { gate, connection, wire: wireOf<M>(peer), kept: [] })
    } else if (verdict.type === 'refuse') {
      connections.turnAway(verdict, gate)
    }
  }

  #wait(peer: P, gate: PeerGate<M>, verdict: Await, { handshake, place }: Expected<I>): void {
    const { connections, admit } = this.#route
    const wire = wireOf<M>(peer)
    gate.hide()
    const firstMessage = connections.wait<M>(verdict, {
      handshake,
      admit,
      transport: gate,
      wire,
      onDecided() {
        place.leave()
        stopCounting()
      },
      onOpen: (connection, kept) => {
        gate.show()
        this.#handOver(peer, { gate, connection, wire, kept })
      },
    })
    const stopCounting = gate.onBytes((bytes) => firstMessage.count(bytes))
    place.wait(() => firstMessage.evict())
    gate.onMessage(firstMessage)
  }

  #handOver(peer: P, { gate, connection, wire, kept }: HandOver<I, M>): void {
    const accepted = new AcceptedSocket<I, M>({ ...this.#route, wire }, gate, connection)
    this.#accepted = accepted
    try {
      const done = this.#route.hooks.open?.(peer)
      if (done instanceof Promise) {
        const letIn = accepted.hold(kept)
        // What it answers is nobody's.
        done.then(
          () => letIn(),
          (error: unknown) => accepted.fail(error),
        )
      } else {
        accepted.letIn(kept)
      }
    } catch (error) {
      accepted.fail(error)
    }
  }

  /** Ends the connection when what a hook has answered fails. */
  #watch(done: unknown): void {
    if (done instanceof Promise) done.catch((error: unknown) => this.#accepted?.fail(error))
  }

  /** Takes a message of the peer. */
  take(message: M): void {
    this.#gate?.take(message)
  }

  /** Tells the application of what has happened to its peer. */
  tell(callHook: () => unknown): void {
    if (!this.#accepted) return
    try {
      this.#watch(callHook())
    } catch (error) {
      this.#accepted.fail(error)
    }
  }

  /** Tells that the peer is gone. */
  closed(): void {
    this.giveUp()
    this.#gate?.closed()
  }

  /** Its connection, if it was accepted and is one of these. */
  connectionIn(connections: object): LiveConnection<I> | undefined {
    return this.#accepted?.connectionIn(connections)
  }
}
