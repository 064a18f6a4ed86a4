import type { WebSocketConstructor, WebSocketLike } from '../web-socket-like.js'
import { ask, type Credential, requireFunction, type TokenSource } from './credential.js'

/**
 * Presents the token as `Authorization: Bearer …`, where the WebSocket class takes headers: Node, Bun, Deno, `ws`, React
 * Native. Throws a `TypeError` in a browser, which cannot; `auto()` chooses by itself.
 */
export function header(source: TokenSource): Credential {
  requireFunction(source)
  return ({ WebSocket }) => {
    const place = headerArgument(WebSocket)
    if (!place) throw new TypeError('This WebSocket takes no headers: use ticket() or auto()')
    const Class = WebSocket as unknown as WithHeaders
    return async (attempt) => {
      const headers = { authorization: `Bearer ${await ask(source, attempt)}` }
      return {
        dial: (url, protocols) =>
          place === 'third' ? new Class(url, protocols, { headers }) : new Class(url, { protocols, headers }),
      }
    }
  }
}

type Headers = Readonly<Record<string, string>>
type WithHeaders = new (
  url: string,
  second: string[] | { protocols: string[]; headers: Headers },
  third?: { headers: Headers },
) => WebSocketLike

/**
 * Where a WebSocket class takes request headers: in an object as its second argument (Node, Bun, Deno), in an object as
 * its third (`ws`, React Native), or nowhere (browsers).
 */
export function headerArgument(WebSocket: WebSocketConstructor): 'second' | 'third' | undefined {
  const { process, document } = globalThis as { process?: { versions?: { node?: string } }; document?: unknown }
  const onServer = process?.versions?.node !== undefined && document === undefined
  const native = WebSocket === globalThis.WebSocket
  // No browser has `ping`; `ws` and React Native have it. So has Bun's own class, which is the exception.
  if ('ping' in WebSocket.prototype && !(onServer && native)) return 'third'
  return onServer ? 'second' : undefined
}
