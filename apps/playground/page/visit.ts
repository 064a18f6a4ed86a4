import type { ServerFrame } from '@sallyport/protocol'
import type { Answer, Ended, Welcome } from './answer.js'
import { explainClose } from './closes.js'
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

/** What the application answers to a line. */
export interface Echo {
  readonly type: 'echo'
  readonly data: string
}

/** What the server says: the application, and the guard where the way in has frames. */
export type Message = Welcome | Echo | ServerFrame

type MessageOf<T> = Extract<Message, { readonly type: T }>

/** A bare `WebSocket` that has knocked. */
export interface BareVisit extends Visit {
  /** Resolves at the 101, or at the end where there is none. */
  readonly opened: Promise<void>
  /** What the server has said so far. */
  readonly heard: readonly Message[]
  /** The next message of these types, or the end. */
  next<T extends Message['type']>(...types: T[]): Promise<MessageOf<T> | Ended>
}

const tones: Readonly<Record<string, Tone>> = { welcome: 'good', auth_ok: 'good', auth_fail: 'bad' }

/** Knocks: opens a `WebSocket`, and draws all that it says and hears. */
export function knock({ url, protocols, label, details }: Handshake, { wire, doors, signal }: Stage): BareVisit {
  const socket = new WebSocket(url, protocols)
  wire.sent(label, ...details)
  doors('between')

  const on = <K extends keyof WebSocketEventMap>(type: K, listener: (event: WebSocketEventMap[K]) => void) =>
    socket.addEventListener(type, listener, { signal })
  const heard: Message[] = []
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
      const message = JSON.parse(data) as Message
      wire.received(data, tones[message.type] ?? 'plain')
      heard.push(message)
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
      doors(entered ? 'left' : 'refused', explainClose(code))
      resolve(end)
    })
  })

  function next<T extends Message['type']>(...types: T[]): Promise<MessageOf<T> | Ended> {
    const isWanted = (message: Message | undefined): message is MessageOf<T> =>
      types.some((type) => type === message?.type)
    const said = new Promise<MessageOf<T>>((resolve) => {
      on('message', () => {
        const message = heard.at(-1)
        if (isWanted(message)) resolve(message)
      })
    })
    return Promise.race([said, ended])
  }

  return {
    opened,
    answer: Promise.race([welcomed, ended]),
    ended,
    heard,
    next,
    say(text, shown = text) {
      if (socket.readyState !== WebSocket.OPEN) return
      wire.sent(shown)
      socket.send(text)
    },
    leave() {
      if (socket.readyState === WebSocket.OPEN && !signal.aborted) wire.sent('Close 1000')
      socket.close(1000)
    },
  }
}
