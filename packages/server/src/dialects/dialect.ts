import type { CodeName } from '@sallyport/protocol'
import { checkedObject } from '../support/checked-kind.js'
import { ConfigurationError } from '../support/errors.js'

/** How the guard speaks in the protocol of a route. */
export interface Dialect {
  /**
   * The close codes by which the clients of that protocol do what ours do (RFC 6455 section 7.4); of the others, those of
   * `codes` hold.
   */
  readonly closeCodes: Readonly<Partial<Record<CodeName, number>>>
  /**
   * The field of the first message that brings the credential, where a dialect lets you name it:
   * `{ ...graphqlWs, parameter: 'authToken' }`. Its value is the credential, or `Bearer` and the credential.
   */
  readonly parameter?: string
  /**
   * Begins to talk with a client whose credential comes in its first message. Called once for each such socket, as a method;
   * once more with the `memory` of the talk where the runtime has forgotten it. Default: the frames of Sallyport.
   */
  converse?(memory?: string): Conversation
}

/** A message on the wire: a text, or the bytes of a binary one. */
export type WireMessage = string | Uint8Array

/**
 * The talk with one client, and what has to be remembered of it. It decides nothing, and verifies nothing. It keeps no
 * credential.
 */
export interface Conversation {
  /** Reads a message that comes before the accept. A part of a longer one is kept until the rest comes. */
  hear(message: WireMessage): Heard
  /** How something is said to the client; `undefined` where the protocol does not say it, or the application's library does. */
  say(news: News): WireMessage | undefined
  /**
   * Reads a message of the accepted client, which may renew its connection. Absent where the protocol has no such message.
   * `undefined`: it is the application's.
   */
  hearAgain?(message: WireMessage): Heard
  /**
   * What it knows of its client, for a runtime that forgets all but its sockets: a text, without a credential. Default:
   * nothing that it needs once the client is accepted.
   */
  readonly memory?: string | undefined
  /** What stands in every text that may renew: a look for it spares all other messages the reading. Default: read them all. */
  readonly mark?: string
}

/**
 * What a message brings. `absent`: it is the one that should bring a credential, and does not; `malformed`: its grammar
 * allows no such message. `undefined`: it is not about a credential, and is dropped until there is one.
 */
export type Heard = Presented | 'absent' | 'malformed' | undefined

/** A credential, not yet verified. */
export interface Presented {
  readonly credential: string
  /**
   * What the application gets in place of the message, once the credential is found good: the message without its
   * credential, and what came behind it. On an accepted connection, later messages wait for it.
   */
  readonly rest: readonly WireMessage[]
}

/** What a client is told. Of a failure that says nothing of its credential it learns by Close alone. */
export type News =
  /** Its first credential, or a newer one, is accepted. `expiresIn`: seconds, absent when the credential has no end. */
  | { readonly type: 'accepted'; readonly userId: string; readonly connection: string; readonly expiresIn?: number }
  /** Its credential is refused: the first one, and then Close follows, or a newer one, and then the one before stays. */
  | { readonly type: 'refused'; readonly code: CodeName }
  /** Its credential ends in that many seconds. */
  | { readonly type: 'expiring'; readonly expiresIn: number }

/** Whether a code says nothing of the credential: to be told of a refusal would make the client drop a good one. */
export const saysNothing = (code: CodeName): boolean =>
  code === 'unavailable' || code === 'internal' || code === 'limited' || code === 'restart'

// Those that the end of a socket may say, and those that libraries and applications give out (RFC 6455 section 7.4).
const canBeSent = (code: number): boolean =>
  Number.isInteger(code) &&
  ((code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999))

/**
 * Checks a dialect: a code that cannot be sent would fail when a connection is to end, and a credential without a name would
 * never be found.
 *
 * @throws ConfigurationError in the name of `owner`
 */
export function checkDialect(owner: string, dialect: Dialect): void {
  checkedObject(owner, 'dialect', dialect, 'a dialect, such as graphqlWs')
  const { closeCodes, parameter = 'token' } = dialect
  checkedObject(owner, 'dialect.closeCodes', closeCodes, 'a table of close codes')
  if (typeof parameter !== 'string' || parameter === '') {
    throw new ConfigurationError(
      'dialect-parameter',
      `${owner}: dialect has the parameter ${JSON.stringify(parameter)}; give the name of a field, such as token`,
    )
  }
  for (const [name, code] of Object.entries(closeCodes)) {
    if (canBeSent(code)) continue
    throw new ConfigurationError(
      'dialect-close-code',
      `${owner}: dialect closes ${name} with ${String(code)}; give a close code that can be sent, such as 4401`,
    )
  }
}
