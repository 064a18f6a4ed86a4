import { type Clock, systemClock } from './clock.js'
import { type Attempt, type Credential, requireFunction } from './credentials/credential.js'
import type { Watched } from './events.js'
import type { Host, Lifecycle, Renewal } from './live.js'
import type { QueueOptions } from './queue.js'
import type { ReconnectOptions } from './retry.js'
import { readUrl } from './url.js'
import type { WebSocketConstructor } from './web-socket-like.js'

/** Options of a {@link GuardedSocket}. */
export interface GuardedSocketOptions extends QueueOptions {
  /** How to authenticate: `ticket('/ws/ticket')`, `header(getToken)`, `cookie()`, … */
  readonly credential: Credential
  /** Renews the credential ahead of its end, without a reconnect: `renewal(getToken)`. Without it, the socket reconnects. */
  readonly renew?: Renewal
  /** Heeds sleep, the network and the background: `lifecycle()`. */
  readonly lifecycle?: Lifecycle
  /** Sees every socket as it is made, and tells what it does: `debug()`. Default: a warning if it will never open. */
  readonly debug?: (socket: Watched) => void
  /** The application's subprotocols. When there are any, the server must select one. */
  readonly protocols?: string | readonly string[]
  /**
   * When to reconnect, or `false`: the socket then ends with its first connection or failed attempt, as a `WebSocket`
   * does. For libraries that have their own way of retrying.
   */
  readonly reconnect?: false | ReconnectOptions
  /** How long the credential function may take, and then how long from dialling to the acknowledgement. Default 10 s. */
  readonly timeoutMs?: number
  /** Allows `ws:` and `http:` to other hosts than this one: anyone on the way reads the credential. Default `false`. */
  readonly dangerouslyAllowPlaintext?: boolean
  /** The WebSocket class. Default the runtime's own; Node 20 has none, and takes that of `ws`. */
  readonly WebSocket?: WebSocketConstructor
  /** Default the runtime's own. */
  readonly fetch?: typeof fetch
  /** Default the system's timers. */
  readonly clock?: Clock
  /** A random number from 0 up to, but not, 1. Default `Math.random`. */
  readonly random?: () => number
}

/** A socket's URL, read once, or a function that is asked for it at each attempt, before the credential. */
export type UrlSource = string | URL | ((attempt: Attempt) => string | URL | Promise<string | URL>)

/** Where one attempt goes, and how it authenticates there. */
export interface Route {
  readonly url: URL
  readonly present: ReturnType<Credential>
  readonly renew: ReturnType<Renewal> | undefined
}

/** The options with their defaults filled in. */
export interface Settings extends Omit<Host, 'url'> {
  readonly debug: GuardedSocketOptions['debug']
  /** Tells the URL, at every attempt. */
  readonly locate: (attempt: Attempt) => string | URL | Promise<string | URL>
  /** The URL of the newest attempt; `undefined` until a function has told it. */
  url: URL | undefined
  readonly lifecycle: ReturnType<Lifecycle>
  /** Throws a `TypeError` for what can never work. */
  routeTo(url: string | URL): Route
}

/** Fills in the defaults. Throws a `TypeError` for what can never work. */
export function settle(source: UrlSource, options: GuardedSocketOptions): Settings {
  const {
    credential,
    renew,
    lifecycle,
    debug,
    protocols = [],
    WebSocket = globalThis.WebSocket,
    fetch = globalThis.fetch,
    clock = systemClock,
    random = Math.random,
    dangerouslyAllowPlaintext = false,
    timeoutMs = 10_000,
  } = options
  requireFunction(credential)
  requireFunction(WebSocket, 'WebSocket')
  const isFixed = typeof source !== 'function'
  const timing = { clock, random, timeoutMs }
  const settings: Settings = {
    ...timing,
    debug,
    protocols: [protocols].flat(),
    WebSocket,
    fetch,
    dangerouslyAllowPlaintext,
    // As it was settled: a URL object is the application's, and a page moves on.
    locate: isFixed ? () => settings.url?.href ?? '' : source,
    url: undefined,
    lifecycle: lifecycle?.(timing) ?? clock,
    routeTo(input) {
      // As a browser reads it: relative to the page, `http:` for `ws:`, without a fragment.
      const { href } = readUrl(input, globalThis.location?.href, dangerouslyAllowPlaintext)
      const url = new URL(href.replace(/^http/, 'ws').replace(/#.*/, ''))
      const host = { ...settings, url }
      settings.url = url
      return { url, present: credential(host), renew: renew?.(host) }
    },
  }
  if (isFixed) settings.routeTo(source)
  return settings
}
