import { bearerPrefix, encodeBearer } from '@sallyport/protocol'
import { mask } from './mask.js'

/** The subprotocol of the playground's application. */
export const application = 'sallyport-playground'

/** What a handshake presents, beside the cookie that the browser adds by itself. */
export interface Presented {
  /** `?ticket=` */
  readonly ticket?: string
  /** `?token=` */
  readonly token?: string
  /** `Sec-WebSocket-Protocol: sallyport.bearer.…` */
  readonly bearer?: string
  /** The session cookie is what counts here: the diagram shows it. The browser sends it, and no script can read it. */
  readonly cookie?: true
}

/** The arguments of `new WebSocket`, and what may be shown of them. */
export interface Handshake {
  readonly url: string
  readonly protocols: string[]
  readonly label: string
  readonly details: string[]
}

/** Composes a handshake with the server at `base`, a WebSocket origin. */
export function handshake(base: string, presented: Presented): Handshake {
  const { bearer, cookie } = presented
  const encoded = bearer === undefined ? undefined : encodeBearer(bearer)
  const shown = encoded && `${application}, ${bearerPrefix}${mask(encoded.slice(bearerPrefix.length))}`
  return {
    url: base + target(presented, (credential) => credential),
    protocols: encoded === undefined ? [] : [application, encoded],
    label: `GET ${target(presented, mask)}`,
    details: [
      'Upgrade: websocket',
      ...(shown === undefined ? [] : [`Sec-WebSocket-Protocol: ${shown}`]),
      ...(cookie ? [`Origin: ${location.origin}`, 'Cookie: session=•••'] : []),
    ],
  }
}

function target({ ticket, token }: Presented, write: (credential: string) => string): string {
  const pairs = Object.entries({ ticket, token }).flatMap(([name, value]) => (value ? [`${name}=${write(value)}`] : []))
  return pairs.length > 0 ? `/ws?${pairs.join('&')}` : '/ws'
}

/** This server, as the page knows it. */
export const here = (): string => `ws://${location.host}`

/**
 * The same server by its other loopback name. Cookies belong to one name: a socket that goes there comes without the
 * session cookie, as a visitor who has not signed in.
 */
export function withoutCookie(): string {
  const name = location.hostname === 'localhost' ? '127.0.0.1' : 'localhost'
  return `ws://${name}${location.port && `:${location.port}`}`
}
