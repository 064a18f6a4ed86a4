import { encodeBearer } from '@sallyport/protocol'
import { ask, type Credential, requireFunction, type TokenSource } from './credential.js'

/** A fixed string as a {@link TokenSource}, for keys that never change. A token that expires needs a function. */
export function staticCredential(credential: string): TokenSource {
  return () => credential
}

/** Options of {@link token}. */
export interface TokenOptions {
  /** The name of the query parameter, where the server calls it otherwise. Default `token`. */
  readonly parameter?: string
}

/** Presents the token as `?token=…`. The server takes only tokens whose whole life is at most 60 s. */
export function token(source: TokenSource, { parameter = 'token' }: TokenOptions = {}): Credential {
  requireFunction(source)
  return () => async (attempt) => ({ query: [parameter, await ask(source, attempt)] })
}

/**
 * Presents the token as a subprotocol beside the application's own, which the server selects. Throws a `TypeError` when
 * the socket has no `protocols`: the credential must not be the only one offered, because it is never selected.
 */
export function subprotocol(source: TokenSource): Credential {
  requireFunction(source)
  return ({ protocols, WebSocket }) => {
    if (protocols.length === 0) throw new TypeError('subprotocol() needs `protocols`: at least one of the application')
    return async (attempt) => {
      const bearer = encodeBearer(await ask(source, attempt))
      return { dial: (url) => new WebSocket(url, [...protocols, bearer]) }
    }
  }
}

/** Presents nothing: the browser sends the session cookie by itself. */
export function cookie(): Credential {
  return () => () => ({})
}
