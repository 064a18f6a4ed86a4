import type { Dialogue, Presentation, Reason } from './credentials/credential.js'
import type { Authentication } from './events.js'
import type { Settings } from './options.js'
import { answered, closed, type Ending, unreachable, unusable, withoutCredential } from './outcome.js'
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
  abandon(code?: number, reason?: string): void
}

/**
 * Connects once: credential, WebSocket, acknowledgement. Once ended or abandoned it never calls its owner again, whatever
 * its WebSocket still does.
 */
export function connect(settings: Settings, reason: Reason, owner: ConnectionOwner): Connection {
  const { url, protocols, WebSocket, present, clock, timeoutMs } = settings
  const controller = new AbortController()
  const { signal } = controller
  let cancelDeadline = () => {}
  let socket: WebSocketLike | undefined
  let upgraded = false
  let authenticated = false

  function abandon(code?: number, reason?: string): void {
    controller.abort()
    cancelDeadline()
    socket?.close(code, reason)
  }

  function end(ending: Ending): void {
    if (signal.aborted) return
    abandon()
    owner.ended(ending)
  }

  function deadline(callback: () => void): void {
    cancelDeadline()
    cancelDeadline = clock.after(timeoutMs, callback)
  }

  /** No answer, or one to the upgrade that only `ws` would have shown. */
  const silence = () => unreachable(!upgraded && !socket?.on)

  function accept(authentication: Authentication): void {
    cancelDeadline()
    authenticated = true
    owner.authenticated(authentication)
  }

  function dial({ query, protocol, dialogue, dial }: Presentation): void {
    // While we waited the application may have closed the socket, or reset it for another user.
    if (signal.aborted) return
    const href = query ? withQuery(url.href, query) : url.href
    const offered = protocol ? [...protocols, protocol] : [...protocols]
    try {
      socket = dial?.(href, offered) ?? new WebSocket(href, offered)
    } catch (error) {
      // Its message may quote the URL or the subprotocols, and so the credential.
      end(unusable('stop', new Error(`The WebSocket class threw ${error instanceof Error && error.name}`)))
      return
    }
    deadline(() => end(silence()))
    listen(socket, dialogue)
  }

  function listen(socket: WebSocketLike, dialogue: Dialogue | undefined): void {
    // The listeners stay to the end, inert: in Node an `error` without a listener would end the process.
    socket.addEventListener('error', () => {})
    socket.addEventListener('open', () => {
      if (signal.aborted) return
      upgraded = true
      if (protocols.length > 0 && !protocols.includes(socket.protocol)) {
        end(unusable('stop', new Error('The server selected no subprotocol')))
      } else if (dialogue) socket.send(dialogue.opening)
      else accept({})
    })
    socket.addEventListener('message', ({ data }) => {
      if (signal.aborted) return
      const frame = dialogue?.read(data)
      if (authenticated) {
        if (!frame) owner.message(data)
      } else if (frame?.type === 'auth_ok') {
        const { type, ...authentication } = frame
        accept(authentication)
      }
      // After `auth_fail` the server closes, and the Close says all.
    })
    socket.addEventListener('close', ({ code, reason, wasClean }) => {
      end(code === 1006 && !upgraded ? silence() : closed({ code, reason, wasClean }))
    })
    socket.on?.('unexpected-response', (_request, { statusCode = 0, headers }) => {
      end(answered(statusCode, readRetryAfter(headers['retry-after'])))
    })
  }

  new Promise<Presentation>((resolve, reject) => {
    deadline(() => reject(new Error('The credential function did not answer in time')))
    Promise.resolve({ reason, signal }).then(present).then(resolve, reject)
  })
    .then(dial)
    .catch((error) => end(withoutCredential(error)))

  return {
    get socket() {
      return socket
    },
    abandon,
  }
}

/** Appended, so that the application's own query stays as it was written. */
function withQuery(href: string, [name, value]: readonly [string, string]): string {
  return `${href}${href.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(value)}`
}
