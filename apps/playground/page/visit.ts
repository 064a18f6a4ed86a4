import type { Answer, Ended, Welcome } from './answer.js'
import type { ShowDoors } from './doors.js'
import type { Handshake } from './handshake.js'
import type { Tone, Wire } from './wire.js'

/** Where a visit shows itself. */
export interface Stage {
  readonly wire: Wire
  readonly doors: ShowDoors
  /** Aborted when nobody watches any more. */
  readonly signal: AbortSignal
}

/** Somebody at the gate, and perhaps inside. */
export interface Visit {
  readonly answer: Promise<Answer>
  readonly ended: Promise<Ended>
  /** Sends text; `shown` stands in the diagram where the text itself must not. */
  say(text: string, shown?: string): void
  leave(): void
}

/** A bare `WebSocket` that has knocked. */
export interface BareVisit extends Visit {
  /** Resolves at the 101, or at the end where there is none. */
  readonly opened: Promise<void>
  /** What the application has echoed so far. */
  readonly echoes: readonly string[]
  /** Resolves when the application has echoed this text. */
  echoed(text: string): Promise<void>
}

const tones: Readonly<Record<string, Tone>> = { welcome: 'good', auth_ok: 'good', auth_fail: 'bad' }

/** Knocks: opens a `WebSocket`, and draws all that it says and hears. */
export function knock({ url, protocols, label, details }: Handshake, { wire, doors, signal }: Stage): BareVisit {
  const socket = new WebSocket(url, protocols)
  wire.sent(label, ...details)
  doors('between')

  const on = <K extends keyof WebSocketEventMap>(type: K, listener: (event: WebSocketEventMap[K]) => void) =>
    socket.addEventListener(type, listener, { signal })
  const echoes: string[] = []
  let upgraded = false
  let entered = false

  const opened = new Promise<void>((resolve) => {
    on('open', () => {
      upgraded = true
      const selected = socket.protocol ? [`Sec-WebSocket-Protocol: ${socket.protocol}`] : []
      wire.received('101 Switching Protocols', 'plain', ...selected)
      resolve()
    })
    on('close', () => resolve())
  })
  const welcomed = new Promise<Welcome>((resolve) => {
    on('message', ({ data }: MessageEvent<string>) => {
      const message = JSON.parse(data) as Welcome | { readonly type: 'echo'; readonly data: string }
      wire.received(data, tones[message.type] ?? 'plain')
      if (message.type === 'echo') echoes.push(message.data)
      if (message.type !== 'welcome') return
      entered = true
      doors('inside', message.userId)
      resolve(message)
    })
  })
  const ended = new Promise<Ended>((resolve) => {
    on('close', ({ code, reason }) => {
      const end: Ended = { type: 'ended', code, reason, upgraded }
      wire.ended(end)
      doors(entered ? 'left' : 'refused')
      resolve(end)
    })
  })

  return {
    opened,
    answer: Promise.race([welcomed, ended]),
    ended,
    echoes,
    say(text, shown = text) {
      wire.sent(shown)
      socket.send(text)
    },
    echoed: (text) => new Promise((resolve) => on('message', () => echoes.includes(text) && resolve())),
    leave() {
      if (socket.readyState === WebSocket.OPEN && !signal.aborted) wire.sent('Close 1000')
      socket.close(1000)
    },
  }
}
