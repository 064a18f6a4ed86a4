import { GuardedSocket, type GuardedSocketEventMap, ticket } from '@sallyport/client'
import type { Answer, Ended, Welcome } from './answer.js'
import type { Attempt } from './attempt.js'
import { explainClose } from './closes.js'
import { here } from './handshake.js'
import type { Message, Visit } from './visit.js'

/** A `GuardedSocket` that has knocked. It comes again when it loses its connection; its end is when it gives up. */
export interface ClientVisit extends Visit {
  /** How the first connection was lost. */
  readonly lost: Promise<Ended>
  /** What came of coming again after that. */
  readonly again: Promise<Answer>
}

/**
 * Comes in with `GuardedSocket`, each time by a ticket for what `token` answers. The diagram shows its events: what
 * crosses the wire is its own affair.
 */
export function enterWithClient(attempt: Attempt, token: () => string | Promise<string>): ClientVisit {
  const { wire, doors, signal } = attempt
  const socket = new GuardedSocket(`${here()}/ws`, { credential: ticket('/ws/ticket', { token }) })
  doors('between')

  const on = <K extends keyof GuardedSocketEventMap>(type: K, listener: (event: GuardedSocketEventMap[K]) => void) =>
    socket.addEventListener(type, listener, { signal })
  const onMessage = (listener: (message: Message, text: string) => void) =>
    on('message', ({ data }) => listener(JSON.parse(data), data))

  on('open', () => wire.note('open'))
  on('terminal', ({ outcome }) => wire.note(`terminal: ${outcome.kind}`))
  on('reconnecting', ({ outcome, delayMs }) => {
    wire.note(`reconnecting in ${Math.round(delayMs)} ms: ${outcome.kind}`)
    doors('between')
  })
  onMessage((message, text) => {
    wire.received(text, message.type === 'welcome' ? 'good' : 'plain')
    if (message.type === 'welcome') doors('inside', message.userId)
  })
  const lost = new Promise<Ended>((resolve) => {
    on('close', ({ code, reason }) => {
      wire.note(`close ${code} ${reason}`.trim())
      resolve({ type: 'ended', code, reason, upgraded: true })
    })
  })
  const ended = new Promise<Ended>((resolve) => {
    on('close', ({ code, reason }) => {
      if (socket.readyState !== GuardedSocket.CLOSED) return
      doors('left', explainClose(code))
      resolve({ type: 'ended', code, reason, upgraded: true })
    })
  })
  const nextWelcome = (): Promise<Answer> => {
    const welcome = new Promise<Welcome>((resolve) => {
      onMessage((message) => {
        if (message.type === 'welcome') resolve(message)
      })
    })
    return Promise.race([welcome, ended])
  }

  return attempt.watch({
    answer: nextWelcome(),
    lost,
    again: lost.then(nextWelcome),
    ended,
    say(text, shown = text) {
      wire.sent(shown)
      socket.send(text)
    },
    leave: () => socket.close(1000),
  })
}
