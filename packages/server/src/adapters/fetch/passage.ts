import { AcceptedSocket, type AcceptedSocketOptions, type Gate } from '../../connections/accepted-socket.js'
import type { LiveConnection } from '../../connections/live-connection.js'
import { liveConnections } from '../../connections/of-guard.js'
import type { Absent } from '../../connections/undecided.js'
import type { Guard } from '../../guard/guard.js'
import type { Handshake } from '../../handshake/request.js'
import type { Identity } from '../../identity.js'
import type { Place } from '../../limits/pending.js'
import { type Await, refuse, type Verdict } from '../../verdict.js'
import type { Admit } from '../../verifiers/admit.js'

/** What waits for a socket, or for the verdict on it. */
interface Expected<I extends Identity> {
  readonly handshake: Handshake
  readonly place: Place
  readonly verdict?: Verdict<I>
}

/** A gate whose runtime hands us the messages, and tells us of the end. */
export interface PassageGate<M> extends Gate<M> {
  /** Takes a message of the peer. */
  take(message: M): void
  /** Says who counts the bytes that come, until the answer is called. */
  onBytes(count: (bytes: number) => void): () => void
  /** Tells that the socket is gone. */
  closed(): void
}

/** A socket that is open. */
export interface OpenSocket<I extends Identity, M> {
  readonly gate: PassageGate<M>
  /** What becomes of its messages once it is accepted. */
  readonly options: AcceptedSocketOptions<I, M>
  /** Gives it to the application. While that answers a promise that has not settled, the messages of the peer wait. */
  handOver(connection: LiveConnection<I>): unknown
}

/**
 * The way of a socket, from its handshake to its end, where the runtime completes the handshake by itself: the socket comes
 * later than the verdict, or never.
 */
export class Passage<I extends Identity, M> implements Absent {
  slot: number | undefined
  slotPlace = 0
  readonly #guard: Guard<I>
  readonly #admit: Admit<I> | undefined
  /** Let go of when the socket is there: it holds the handshake, whose credentials the socket must not outlive. */
  #expected: Expected<I> | undefined
  #gate: PassageGate<M> | undefined
  #accepted: AcceptedSocket<I, M> | undefined

  /** @param expected absent for a socket whose handshake nobody knows: it is turned away */
  constructor(guard: Guard<I>, admit: Admit<I> | undefined, expected?: Expected<I>) {
    this.#guard = guard
    this.#admit = admit
    this.#expected = expected
  }

  /** The verdict is there. */
  decided(verdict: Verdict<I>): void {
    if (this.#expected) this.#expected = { ...this.#expected, verdict }
    else liveConnections(this.#guard).abandon(verdict)
  }

  /** The socket is to come, if it has not. */
  expect(): void {
    if (this.#expected) liveConnections(this.#guard).undecided.expect(this)
  }

  /** Gives back what it has taken: no socket comes. */
  giveUp(): void {
    const expected = this.#take()
    expected?.place.leave()
    if (expected?.verdict) liveConnections(this.#guard).abandon(expected.verdict)
  }

  #take(): Expected<I> | undefined {
    const expected = this.#expected
    this.#expected = undefined
    liveConnections(this.#guard).undecided.expectNoMore(this)
    return expected
  }

  /** Whether its socket is there. */
  get hasArrived(): boolean {
    return this.#gate !== undefined
  }

  /** The subprotocol that was selected for the socket which is to come. */
  get protocol(): string | undefined {
    return this.#expected?.verdict?.protocol
  }

  /** The socket is there, and is let in, waits, or is turned away. */
  arrive(socket: OpenSocket<I, M>): void {
    const { gate } = socket
    this.#gate = gate
    const expected = this.#take()
    const verdict = expected?.verdict ?? refuse('internal-error')
    if (expected && verdict.type === 'await') {
      this.#wait(socket, verdict, expected)
      return
    }
    expected?.place.leave()
    const connections = liveConnections(this.#guard)
    if (expected && verdict.type === 'accept') {
      const connection = connections.open(verdict, expected.handshake, gate)
      if (connection) this.#handOver(socket, connection, [])
    } else if (verdict.type === 'refuse') {
      connections.undecided.turnAway(verdict, gate)
    }
  }

  #wait(socket: OpenSocket<I, M>, verdict: Await, { handshake, place }: Expected<I>): void {
    const { gate, options } = socket
    const firstMessage = liveConnections(this.#guard).undecided.wait<M>(verdict, {
      handshake,
      admit: this.#admit,
      transport: gate,
      wire: options.wire,
      onDecided() {
        place.leave()
        stopCounting()
      },
      onOpen: (connection, kept) => this.#handOver(socket, connection, kept),
    })
    const stopCounting = gate.onBytes((bytes) => firstMessage.count(bytes))
    place.wait(() => firstMessage.evict())
    gate.onMessage(firstMessage)
  }

  #handOver({ gate, options, handOver }: OpenSocket<I, M>, connection: LiveConnection<I>, kept: M[]): void {
    const accepted = new AcceptedSocket<I, M>(options, gate, connection)
    this.#accepted = accepted
    try {
      const done = handOver(connection)
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

  /** Ends the connection when what the application has answered fails. */
  watch(done: unknown): void {
    if (done instanceof Promise) done.catch((error: unknown) => this.#accepted?.fail(error))
  }

  /** Takes a message of the peer. */
  take(message: M): void {
    this.#gate?.take(message)
  }

  /** Tells the application of what has happened to its socket. */
  tell(call: () => unknown): void {
    if (!this.#accepted) return
    try {
      this.watch(call())
    } catch (error) {
      this.#accepted.fail(error)
    }
  }

  /** Tells that the socket is gone. */
  closed(): void {
    this.giveUp()
    this.#gate?.closed()
  }

  /** Its connection, if it was accepted and is one of these. */
  connectionIn(connections: object): LiveConnection<I> | undefined {
    return this.#accepted?.connectionIn(connections)
  }
}
