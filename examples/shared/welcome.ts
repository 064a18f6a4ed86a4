import type { Connection } from '@sallyport/server'
import type { WebSocket } from 'ws'

/** The application of the examples: says who came in and how, then echoes. */
export function welcome(socket: WebSocket, { identity, method }: Connection): void {
  socket.on('message', (data, isBinary) => {
    socket.send(isBinary ? data : JSON.stringify({ type: 'echo', data: data.toString() }))
  })
  socket.send(JSON.stringify({ type: 'welcome', userId: identity.id, method }))
}
