import { unavailable } from '@sallyport/protocol'
import { closeArguments, shut } from './close-arguments.js'
import type { Authentication, Dialogue, Reason } from './credentials/credential.js'
import type { Live } from './live.js'
import type { Route, Settings } from './options.js'
import { answered, type Closure, closed, type Ending, unreachable, unusable, withoutCredential } from './outcome.js'
import { readRetryAfter } from './retry-after.js'
import type { WebSocketLike } from './web-socket-like.js'

/**
 * Hears of a connection: `authenticated` at most once, and `ended` exactly once unless it was closed. A `message` that comes
 * before the first is none of the application's.
 */
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
  close(closure?: Closure): void
}

/**
 * Connects once: URL, credential, WebSocket, acknowledgement. Once ended or closed it never calls its owner again, whatever
 * its WebSocket still does.
 */
export function connect(settings: Settings, reason: Reason, owner: ConnectionOwner): Connection {
  const { protocols, WebSocket } = settings
  const controller = new AbortController()
  const { signal } = controller
  let cancelDeadline = settings.clock.after(settings.timeoutMs, () => {
    end(unusable(new Error('No credential'), unavailable))
  })
  let socket: WebSocketLike | undefined
  let upgraded: boolean | undefined

  function close(closure = closeArguments()): void {
    controller.abort()
    cancelDeadline()
    shut(socket, closure)
  }

  function end(ending: Ending): void {
    if (signal.aborted) return
    close()
    owner.ended(ending)
  }

  /** No answer, or one to the upgrade that only `ws` would have shown. */
  const silence = (error?: unknown) => unreachable(!upgraded && !socket?.on, error)

  async function start(): Promise<void> {
    const attempt = { reason, signal }
    // Awaited, so that the application is asked for nothing while the socket is being made.
    await settings.lifecycle.before?.()
    const url = await settings.locate(attempt)
    // While we waited the application may have closed the socket, or reset it for another user.
    if (signal.aborted) return
    let route: Route
    try {
      route = settings.routeTo(url)
    } catch (error) {
      end(unusable(error))
      return
    }
    const { query, dialogue, dial } = await route.present(attempt)
    if (signal.aborted) return
    let { href } = route.url
    // Appended, so that the application's own query stays as it was written.
    if (query) href += `${href.includes('?') ? '&' : '?'}${query[0]}=${encodeURIComponent(query[1])}`
    try {
      socket = dial?.(href, protocols as string[]) ?? new WebSocket(href, protocols as string[])
    } catch (error) {
      // Its message may quote the URL or the subprotocols, and so the credential.
      end(unusable(new Error(`WebSocket: ${(error as Error).name}`)))
      return
    }
    cancelDeadline()
    cancelDeadline = settings.clock.after(settings.timeoutMs, () => end(silence()))
    listen(route, socket, dialogue)
  }

  function listen({ renew }: Route, socket: WebSocketLike, dialogue: Dialogue | undefined): void {
    function accept(authentication: Authentication): void {
      cancelDeadline()
      owner.authenticated(authentication)
      if (signal.aborted) return
      const live: Live = { authentication, signal, socket, dialogue, end }
      renew?.(live)
      settings.lifecycle.attend?.(live)
    }

    // The listeners stay to the end, inert: in Node an `error` without a listener would end the process. What it says may
    // quote the URL. Node.js 22 tells of a refused handshake by this event alone, without a `close`.
    socket.addEventListener('error', ({ error }) => {
      if (!upgraded) end(silence(error))
    })
    socket.addEventListener('open', () => {
      upgraded = true
      // React Native on Android closes nothing before it is open.
      if (signal.aborted) close()
      else if (protocols[0] && !protocols.includes(socket.protocol)) {
        end(unusable(new Error('No subprotocol')))
      } else if (dialogue) socket.send(dialogue.opening)
      else accept({})
    })
    socket.addEventListener('message', ({ data }) => {
      if (!signal.aborted && !dialogue?.hear(data, accept)) owner.message(data)
    })
    socket.addEventListener('close', (event) => {
      end(event.code === 1006 && !upgraded ? silence() : closed(event))
    })
    socket.on?.('unexpected-response', (_request, { statusCode = 0, headers }) => {
      end(answered(statusCode, readRetryAfter(headers['retry-after'])))
    })
  }

  start().catch((error) => end(withoutCredential(error)))

  return {
    get socket() {
      return socket
    },
    close,
  }
}
