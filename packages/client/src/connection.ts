import type { Attempt, Dialogue, Presentation, Reason } from './credentials/credential.js'
import type { Authentication } from './events.js'
import type { Live } from './live.js'
import type { Route, Settings } from './options.js'
import { answered, type Closure, closed, type Ending, unreachable, unusable, withoutCredential } from './outcome.js'
import { readRetryAfter } from './retry-after.js'
import type { WebSocketLike } from './web-socket-like.js'

/** Hears of a connection: `authenticated` at most once, then messages, and `ended` exactly once unless it was abandoned. */
export interface ConnectionOwner {
  authenticated(authentication: Authentication): void
  message(data: unknown): void
  ended(ending: Ending): void
}

/** One attempt and, when it succeeds, one connection. */
export interface Connection {
  /** The WebSocket, as soon as there is one. */
  readonly socket: WebSocketLike | undefined
  /** Gives the connection up: nothing of it is heard any more. */
  abandon(closure?: Closure): void
}

/**
 * Connects once: URL, credential, WebSocket, acknowledgement. Once ended or abandoned it never calls its owner again, whatever
 * its WebSocket still does.
 */
export function connect(settings: Settings, reason: Reason, owner: ConnectionOwner): Connection {
  const { clock } = settings
  const controller = new AbortController()
  const { signal } = controller
  let cancelDeadline = clock.after(settings.timeoutMs, () => {
    end(unusable('back-off', new Error('No credential in time')))
  })
  let socket: WebSocketLike | undefined
  let upgraded = false

  function abandon(closure?: Closure): void {
    controller.abort()
    cancelDeadline()
    socket?.close(closure?.code, closure?.reason)
  }

  function end(ending: Ending): void {
    if (signal.aborted) return
    abandon()
    owner.ended(ending)
  }

  /** No answer, or one to the upgrade that only `ws` would have shown. */
  const silence = (error?: unknown) => unreachable(!upgraded && !socket?.on, undefined, error)

  async function start(attempt: Attempt): Promise<void> {
    const { source, routeTo } = settings
    const url = typeof source === 'function' ? await source(attempt) : source
    // While we waited the application may have closed the socket, or reset it for another user.
    if (signal.aborted) return
    let route: Route
    try {
      route = routeTo(url)
    } catch (error) {
      end(unusable('stop', error))
      return
    }
    const presentation = await route.present(attempt)
    if (!signal.aborted) dial(route, presentation)
  }

  function dial(route: Route, { query, protocol, dialogue, dial }: Presentation): void {
    const { url, protocols, WebSocket } = route
    let { href } = url
    // Appended, so that the application's own query stays as it was written.
    if (query) href += `${href.includes('?') ? '&' : '?'}${query[0]}=${encodeURIComponent(query[1])}`
    const offered = protocol ? [...protocols, protocol] : [...protocols]
    try {
      socket = dial?.(href, offered) ?? new WebSocket(href, offered)
    } catch (error) {
      // Its message may quote the URL or the subprotocols, and so the credential.
      end(unusable('stop', new Error(`The WebSocket class threw ${error instanceof Error && error.name}`)))
      return
    }
    cancelDeadline()
    cancelDeadline = clock.after(settings.timeoutMs, () => end(silence()))
    listen(route, socket, dialogue)
  }

  function listen({ protocols, renew }: Route, socket: WebSocketLike, dialogue: Dialogue | undefined): void {
    let live: Live | undefined

    function accept(authentication: Authentication): void {
      cancelDeadline()
      live = { authentication, signal, socket, dialogue, end }
      owner.authenticated(authentication)
      if (signal.aborted) return
      renew?.(live)
      settings.lifecycle.attend?.(live)
    }

    // The listeners stay to the end, inert: in Node an `error` without a listener would end the process. What it says may
    // quote the URL. Node.js 22 tells of a refused handshake by this event alone, without a `close`.
    socket.addEventListener('error', ({ error }) => {
      if (!upgraded) end(silence(error))
    })
    socket.addEventListener('open', () => {
      if (signal.aborted) return
      upgraded = true
      if (protocols.length > 0 && !protocols.includes(socket.protocol)) {
        end(unusable('stop', new Error('No subprotocol was selected')))
      } else if (dialogue) socket.send(dialogue.opening)
      else accept({})
    })
    socket.addEventListener('message', ({ data }) => {
      if (signal.aborted) return
      const frame = dialogue?.read(data)
      if (live) {
        if (frame) live.onframe?.(frame)
        else owner.message(data)
      } else if (frame?.type === 'auth_ok') {
        const { type, ...authentication } = frame
        accept(authentication)
      }
      // After `auth_fail` the server closes, and the Close says all.
    })
    socket.addEventListener('close', (event) => {
      end(event.code === 1006 && !upgraded ? silence() : closed(event))
    })
    socket.on?.('unexpected-response', (_request, { statusCode = 0, headers }) => {
      end(answered(statusCode, readRetryAfter(headers['retry-after'])))
    })
  }

  Promise.resolve({ reason, signal })
    .then(settings.lifecycle.before)
    .then(start)
    .catch((error) => end(withoutCredential(error)))

  return {
    get socket() {
      return socket
    },
    abandon,
  }
}
