import { codes } from '@sallyport/protocol'
import type { Conversation, Dialect, Heard, News, WireMessage } from './dialect.js'
import { withoutScheme } from './parameters.js'

/**
 * STOMP 1.0 to 1.2 over WebSockets, as `@stomp/stompjs` speaks it, whose client reads no close code.
 *
 * The credential is the header `passcode` of `CONNECT`, or another `parameter`. The application gets the frame without that
 * header, and answers `CONNECTED`.
 */
export const stomp: Dialect = {
  closeCodes: {},
  converse(): Conversation {
    return new StompConversation(this.parameter ?? 'passcode')
  },
}

class StompConversation implements Conversation {
  readonly #header: string
  /** What has come of the frame, which a client may cut into several messages. */
  #come: Buffer = Buffer.alloc(0)

  constructor(header: string) {
    this.#header = header
  }

  hear(message: WireMessage): Heard {
    this.#come = Buffer.concat([this.#come, Buffer.from(message)])
    const end = this.#come.indexOf(0)
    if (end === -1) return undefined
    // Byte for byte: what is no credential is nothing that we change.
    const [frame, behind] = [this.#come.toString('latin1', 0, end), this.#come.subarray(end)]
    this.#come = Buffer.alloc(0)
    return takeHeader(frame, this.#header, (rest) => {
      const bytes = Buffer.concat([Buffer.from(rest, 'latin1'), behind])
      return typeof message === 'string' ? bytes.toString() : bytes
    })
  }

  say(news: News): string | undefined {
    if (news.type !== 'refused') return undefined
    return `ERROR\nmessage:${codes[news.code].reason}\n\n\0`
  }
}

/** Takes a header out of a `CONNECT` frame without its NUL (STOMP 1.2, CONNECT and STOMP frames; its headers are not escaped). */
function takeHeader(frame: string, header: string, write: (rest: string) => WireMessage): Heard {
  // Line ends ahead of a frame are heart-beats.
  const lines = frame.replace(/^[\r\n]+/, '').split('\n')
  const blank = lines.findIndex((line) => line === '' || line === '\r')
  // A blank line, which the body would follow: this frame has none.
  if (!/^(?:CONNECT|STOMP)\r?$/.test(lines[0]!) || blank !== lines.length - 2 || lines.at(-1) !== '') return 'malformed'
  const isOurs = (line: string) => line.startsWith(`${header}:`)
  const [line, another] = lines.filter(isOurs)
  if (another !== undefined) return 'malformed'
  const credential = withoutScheme(line?.slice(header.length + 1).replace(/\r$/, '') ?? '')
  if (credential === '') return 'absent'
  return { credential, rest: [write(lines.filter((each) => !isOurs(each)).join('\n'))] }
}
