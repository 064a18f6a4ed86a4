import type { GuardedSocket } from './guarded-socket.js'

/**
 * The messages of a socket, over all its connections, for `for await`. It ends when the application has closed the socket,
 * and throws a `SocketError` when the socket gave up.
 *
 * What comes while the loop is busy waits, without a limit, as it would in the listeners' queue of a slow page: a server
 * that sends faster than the loop works needs a protocol that says so.
 *
 * ```ts
 * for await (const { data } of messages(socket)) show(data)
 * ```
 */
export async function* messages(socket: GuardedSocket): AsyncGenerator<MessageEvent, void, undefined> {
  const waiting: MessageEvent[] = []
  let wake = () => {}
  const hear = (event: MessageEvent) => {
    waiting.push(event)
    wake()
  }
  const look = () => wake()
  socket.addEventListener('message', hear)
  socket.addEventListener('statechange', look)
  try {
    for (;;) {
      for (let event = waiting.shift(); event; event = waiting.shift()) yield event
      if (socket.readyState === socket.CLOSED) return await ended(socket)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    socket.removeEventListener('message', hear)
    socket.removeEventListener('statechange', look)
  }
}

/** `ready` rejects with why. Without an attempt to come the socket gave up; else the application has closed it. */
async function ended(socket: GuardedSocket): Promise<void> {
  const { failure } = socket
  if (failure && failure.attempt === undefined) await socket.ready
}
