import type { CodeName } from '@sallyport/protocol'
import { type Conversation, type Heard, saysNothing } from '../dialects/dialect.js'
import { converseIn } from '../dialects/plain.js'
import type { Handshake } from '../handshake/request.js'
import type { Identity } from '../identity.js'
import { type Reason, reasons } from '../refusals/reasons.js'
import type { Clock } from '../support/clock.js'
import type { Accept, Await, Verdict } from '../verdict.js'
import type { Admit } from '../verifiers/admit.js'
import type { LiveConnection } from './live-connection.js'
import { end, type Linger, type Transport } from './transport.js'
import type { Wire } from './wire.js'

/** What an adapter tells of a pending socket. */
export interface PendingSocket<I extends Identity, M> {
  readonly handshake: Handshake
  /** As in the guard's decision about the handshake. */
  readonly admit?: Admit<I> | undefined
  readonly transport: Transport
  readonly wire: Wire<M>
  /** Called once it is accepted, refused or gone: its place is free. */
  readonly onDecided: () => void
  /** Called once, when it is accepted. `kept` are the messages to deliver first. */
  readonly onOpen: (connection: LiveConnection<I>, kept: M[]) => void
}

/** What the space between the doors needs to know. */
export interface FirstMessageOptions<I extends Identity, M> {
  readonly wait: Await
  readonly clock: Clock
  readonly transport: Transport
  readonly wire: Wire<M>
  /** Lets the socket stay for a moment when it is refused. */
  readonly linger: Linger
  /** The guard's decision, now that a credential has come; empty: something malformed in its place. */
  readonly decide: (credential: string) => Promise<Verdict<I>>
  /** Told that it is decided, or over: its place is free. */
  readonly onDecided: () => void
  /** Told why it ends when it is not the guard that decided so. */
  readonly onFail: (reason: Reason, cause?: { readonly error: unknown }) => void
  /** Given a verdict that comes when the socket is gone. */
  readonly onAbandon: (verdict: Verdict<I>) => void
  /** Opens the inner door. `kept` are the messages to deliver first, in order: those that came while it was verified. */
  readonly onAccept: (accept: Accept<I>, kept: M[], conversation: Conversation) => void
}

/** What a pending socket does with its messages until the guard has decided. */
export interface FirstMessage<M> {
  /** Counts bytes that the client has sent since the 101, whatever they mean. */
  count(bytes: number): void
  /** Ends the socket because its place is needed; `false` when its credential has come, and it waits no more. */
  evict(): boolean
  /** Takes a message. */
  receive(message: M): void
}

// More than anybody sends behind a credential. Small ones cost more than their bytes.
const maxKept = 1_024
// Where nobody can stop reading.
const maxKeptBytes = 65_536

/**
 * Waits for the first message of a pending socket. What comes before the credential is dropped; what comes with it is
 * kept.
 */
export function awaitFirstMessage<I extends Identity, M>(options: FirstMessageOptions<I, M>): FirstMessage<M> {
  const { wait, clock, transport, wire, linger } = options
  // Let go of once it is decided: it holds the handshake, whose credentials the socket must not outlive.
  let pending: typeof options | undefined = options
  const conversation = converseIn(transport.dialect)
  const kept: M[] = []
  let received = 0
  let state: 'waiting' | 'verifying' | 'decided' = 'waiting'

  function fail(reason: Reason, cause?: { readonly error: unknown }): void {
    const { onFail } = pending ?? {}
    settle()
    end(transport, reasons[reason], linger)
    onFail?.(reason, cause)
  }

  /** Says to the client that its credential is refused, where that is what the code means. */
  function tell(code: CodeName): void {
    const said = saysNothing(code) ? undefined : conversation.say({ type: 'refused', code })
    if (said !== undefined) transport.send(said)
  }

  function settle(): void {
    state = 'decided'
    pending?.onDecided()
    pending = undefined
    cancelDeadline()
    cancelDeadline = () => {}
  }

  async function verify(heard: Exclude<Heard, undefined>): Promise<void> {
    const asked = pending
    if (!asked) return
    if (heard === 'absent') {
      tell(reasons['credential-absent'])
      return fail('credential-absent')
    }
    if (heard !== 'malformed') for (const message of heard.rest) kept.push(wire.write(message))
    const verdict = await asked.decide(heard === 'malformed' ? '' : heard.credential)
    // The socket may be closed by now.
    if (!pending) return asked.onAbandon(verdict)
    if (verdict.type === 'accept') {
      settle()
      if (transport.isOpen) asked.onAccept(verdict, kept, conversation)
      else asked.onAbandon(verdict)
    } else {
      const code = verdict.type === 'refuse' ? verdict.code : reasons['credential-absent']
      tell(code)
      settle()
      end(transport, code, linger)
    }
  }

  /** Lets wait on the client's side what it sends behind its credential; only what has already come is kept here. */
  function keepBack(): void {
    if (transport.pause) transport.pause()
    else if (received > wait.maxBytes + maxKeptBytes) fail('messages-too-many')
  }

  function hear(message: M): void {
    const heard = conversation.hear(wire.read(message))
    if (heard === undefined) return
    state = 'verifying'
    cancelDeadline()
    verify(heard).catch((error: unknown) => fail('internal-error', { error }))
  }

  let cancelDeadline = clock.after(wait.timeout, () => {
    if (state === 'waiting') fail('message-late')
  })
  transport.onClose({ closed: settle })

  return {
    evict() {
      if (state !== 'waiting') return false
      fail('pending')
      return true
    },
    count(bytes) {
      received += bytes
      if (received <= wait.maxBytes) return
      if (state === 'waiting') fail('credential-too-large')
      if (state === 'verifying') keepBack()
    },
    receive(message) {
      if (state === 'verifying') {
        if (kept.push(message) > maxKept) fail('messages-too-many')
      } else if (state === 'waiting') {
        try {
          hear(message)
        } catch (error) {
          fail('internal-error', { error })
        }
      }
    },
  }
}
