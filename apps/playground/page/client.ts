import { GuardedSocket, type GuardedSocketEventMap, ticket } from '@sallyport/client'
import type { Ended, Welcome } from './answer.js'
import type { Attempt } from './attempt.js'
import { here } from './handshake.js'
import type { Visit } from './visit.js'

/** Comes in with `GuardedSocket`. The diagram shows its events: what crosses the wire is its own affair. */
export async function enterWithClient(attempt: Attempt): Promise<Visit> {
  const { account, wire, doors, signal } = attempt
  const socket = new GuardedSocket(`${here()}/ws`, {
    credential: ticket('/ws/ticket', { token: () => account.token }),
  })
  doors('between')

  const on = <K extends keyof GuardedSocketEventMap>(type: K, listener: (event: GuardedSocketEventMap[K]) => void) =>
    socket.addEventListener(type, listener, { signal })

  on('open', () => wire.note('open'))
  on('terminal', ({ outcome }) => wire.note(`terminal: ${outcome.kind}`))
  on('reconnecting', ({ outcome, delayMs }) => {
    wire.note(`reconnecting in ${Math.round(delayMs)} ms: ${outcome.kind}`)
    doors('between')
  })
  const welcomed = new Promise<Welcome>((resolve) => {
    on('message', ({ data }) => {
      const message = JSON.parse(data)
      wire.received(data, message.type === 'welcome' ? 'good' : 'plain')
      if (message.type !== 'welcome') return
      doors('inside', message.userId)
      resolve(message)
    })
  })
  const ended = new Promise<Ended>((resolve) => {
    on('close', ({ code, reason }) => {
      wire.note(`close ${code} ${reason}`.trim())
      if (socket.readyState !== GuardedSocket.CLOSED) return
      doors('left')
      resolve({ type: 'ended', code, reason, upgraded: true })
    })
  })

  return attempt.watch({
    answer: Promise.race([welcomed, ended]),
    ended,
    say(text, shown = text) {
      wire.sent(shown)
      socket.send(text)
    },
    leave: () => socket.close(1000),
  })
}
