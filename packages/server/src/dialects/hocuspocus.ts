import { Cursor, variable } from './cursor.js'
import type { Conversation, Dialect, Heard, News, WireMessage } from './dialect.js'

/**
 * Hocuspocus, as `@hocuspocus/provider` speaks it, whose client reads no close code.
 *
 * The credential is the `token` of a provider. The first one of a socket authenticates it; those of further documents, and
 * what a provider answers when it is asked for its token again, renew it. The application gets each of these messages with an
 * empty token, so that `onAuthenticate` may still say who may open which document, and answers it.
 */
export const hocuspocus: Dialect = {
  closeCodes: { unauthenticated: 4401, timeout: 4408, forbidden: 4403 },
  converse: (memory?: string): Conversation => new HocuspocusConversation(memory),
}

/** The kind of message that is about tokens, and what it may say: here is one or, of the server, send one; and no. */
const auth = 2
const token = 0
const permissionDenied = 1

class HocuspocusConversation implements Conversation {
  /** The document whose token came last, as a message begins with its name. */
  #document: Buffer

  constructor(memory = '') {
    this.#document = Buffer.from(memory, 'base64url')
  }

  get memory(): string {
    return this.#document.toString('base64url')
  }

  hear(message: WireMessage): Heard {
    if (typeof message === 'string') return undefined
    const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength)
    const read = new Cursor(bytes)
    read.take(read.variable())
    const document = bytes.subarray(0, read.at)
    const isToken = read.variable() === auth && read.variable() === token
    if (!isToken || read.isBroken) return undefined
    const head = bytes.subarray(0, read.at)
    const credential = String(read.take(read.variable()))
    // A copy, so that it does not hold the token beside it.
    this.#document = Buffer.from(document)
    if (read.isBroken) return 'malformed'
    if (credential === '') return 'absent'
    return { credential, rest: [Buffer.concat([head, Buffer.of(0), bytes.subarray(read.at)])] }
  }

  hearAgain(message: WireMessage): Heard {
    return this.hear(message)
  }

  say(news: News): Uint8Array | undefined {
    if (news.type === 'accepted') return undefined
    if (news.type === 'expiring') return Buffer.concat([this.#document, Buffer.of(auth, token)])
    const reason = Buffer.from('permission-denied')
    const said = Buffer.of(auth, permissionDenied, ...variable(reason.length))
    return Buffer.concat([this.#document, said, reason])
  }
}
