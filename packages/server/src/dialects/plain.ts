import { type AuthFrame, encodeFrame, readAuthFrame } from '@sallyport/protocol'
import type { Conversation, Dialect, Heard, News, WireMessage } from './dialect.js'

/** Sallyport's own frames, beside whatever the application speaks. */
export const plain = {
  closeCodes: {},
  converse: (memory?: string): Conversation => new PlainConversation(memory),
} satisfies Dialect

/** Begins to talk in a dialect, or goes on. */
export const converseIn = (dialect: Dialect, memory?: string): Conversation =>
  dialect.converse?.(memory) ?? plain.converse(memory)

class PlainConversation implements Conversation {
  readonly mark = '"auth"'
  /** By which the client knows our frames from what others write, and we know its. */
  #nonce: string | undefined

  constructor(nonce: string | undefined) {
    this.#nonce = nonce
  }

  get memory(): string | undefined {
    return this.#nonce
  }

  hear(message: WireMessage): Heard {
    const frame = read(message)
    this.#nonce = nonceOf(frame)
    return heard(frame)
  }

  /** A frame without the client's nonce is somebody else's, whose text the client relays. */
  hearAgain(message: WireMessage): Heard {
    const frame = read(message)
    return nonceOf(frame) === this.#nonce ? heard(frame) : undefined
  }

  say(news: News): string {
    const nonce = this.#nonce
    if (news.type === 'expiring') return encodeFrame({ type: 'auth_expiring', expiresIn: news.expiresIn, nonce })
    return encodeFrame(news.type === 'accepted' ? { ...news, type: 'auth_ok', nonce } : { type: 'auth_fail', nonce })
  }
}

type Frame = AuthFrame | 'malformed' | undefined

const read = (message: WireMessage): Frame => (typeof message === 'string' ? readAuthFrame(message) : undefined)

/** The nonce that a client's frame carries; a broken one carries none. */
const nonceOf = (frame: Frame): string | undefined => (typeof frame === 'object' ? frame.nonce : undefined)

const heard = (frame: Frame): Heard => (typeof frame === 'object' ? { credential: frame.token, rest: [] } : frame)
