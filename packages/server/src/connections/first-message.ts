import { type AuthFailFrame, type AuthFrame, type CodeName, encodeFrame, readAuthFrame } from '@sallyport/protocol'
import type { Handshake } from '../handshake/request.js'
import type { Identity } from '../identity.js'
import { type Reason, reasons } from '../refusals/reasons.js'
import type { Clock } from '../support/clock.js'
import type { Accept, Await, Verdict } from '../verdict.js'
import type { Admit } from '../verifiers/admit.js'
import type { LiveConnection } from './live-connection.js'
import { end, type Linger, type Transport } from './transport.js'

/** What an adapter tells of a pending socket. */
export interface PendingSocket<I extends Identity, M> {
  readonly handshake: Handshake
  /** As in the guard's decision about the handshake. */
  readonly admit?: Admit<I> | undefined
  readonly transport: Transport
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
  /** Lets the socket stay for a moment when it is refused. */
  readonly linger: Linger
  /** The guard's decision, now that the message has come. */
  readonly decide: (message: string) => Promise<Verdict<I>>
  /** Told that it is decided, or over: its place is free. */
  readonly onDecided: () => void
  /** Told why it ends when it is not the guard that decided so. */
  readonly onFail: (reason: Reason) => void
  /** Given a verdict that comes when the socket is gone. */
  readonly onAbandon: (verdict: Verdict<I>) => void
  /** Opens the inner door. `kept` are the messages that came while the credential was verified, in order. */
  readonly onAccept: (accept: Accept<I>, kept: M[]) => void
}

/** What a pending socket does with its messages until the guard has decided. */
export interface FirstMessage<M> {
  /** Counts bytes that the client has sent since the 101, whatever they mean. */
  count(bytes: number): void
  /** Ends the socket because its place is needed; `false` when its credential has come, and it waits no more. */
  evict(): boolean
  /** Takes a message: its text, or `undefined` for a binary one, and the message as the adapter will deliver it. */
  receive(text: string | undefined, message: M): void
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
  const { wait, clock, transport, linger } = options
  // Let go of once it is decided: it holds the handshake, whose credentials the socket must not outlive.
  let pending: typeof options | undefined = options
  const kept: M[] = []
  let received = 0
  let state: 'waiting' | 'verifying' | 'decided' = 'waiting'

  function refuse(code: CodeName, frame?: AuthFailFrame): void {
    settle()
    if (frame) transport.send(encodeFrame(frame))
    end(transport, code, linger)
  }

  function fail(reason: Reason): void {
    const { onFail } = pending ?? {}
    refuse(reasons[reason])
    onFail?.(reason)
  }

  function settle(): void {
    state = 'decided'
    pending?.onDecided()
    pending = undefined
    cancelDeadline()
    cancelDeadline = () => {}
  }

  async function verify(message: string, nonce: string | undefined): Promise<void> {
    const asked = pending
    if (!asked) return
    const verdict = await asked.decide(message)
    // The socket may be closed by now.
    if (!pending) return asked.onAbandon(verdict)
    if (verdict.type === 'accept') {
      settle()
      if (transport.isOpen) asked.onAccept(nonce === undefined ? verdict : { ...verdict, nonce }, kept)
      else asked.onAbandon(verdict)
    } else {
      const code = verdict.type === 'refuse' ? verdict.code : reasons['credential-absent']
      refuse(code, saysNothing(code) ? undefined : { type: 'auth_fail', nonce })
    }
  }

  /** Lets wait on the client's side what it sends behind its credential; only what has already come is kept here. */
  function keepBack(): void {
    if (transport.pause) transport.pause()
    else if (received > wait.maxBytes + maxKeptBytes) fail('messages-too-many')
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
    receive(text, message) {
      if (state === 'verifying') {
        if (kept.push(message) > maxKept) fail('messages-too-many')
      } else if (state === 'waiting' && text !== undefined) {
        const frame = readAuthFrame(text)
        if (frame === undefined) return
        state = 'verifying'
        cancelDeadline()
        verify(text, nonceOf(frame)).catch(() => fail('internal-error'))
      }
    },
  }
}

/** The nonce that a client's frame carries; a broken one carries none. */
export const nonceOf = (frame: AuthFrame | 'malformed'): string | undefined =>
  frame === 'malformed' ? undefined : frame.nonce

/** Whether a code says nothing of the credential: then `auth_fail` would make the client drop a good one. */
export const saysNothing = (code: CodeName): boolean =>
  code === 'unavailable' || code === 'internal' || code === 'limited' || code === 'restart'
