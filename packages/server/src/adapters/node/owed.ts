import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { tapEvents } from './event-tap.js'

/** The responses that a server has not written yet. */
export interface Owed {
  /** The last that is still to be written to a socket: what is written before it is would be taken for it. */
  on(socket: Duplex): ServerResponse | undefined
  /** Watches no more. */
  readonly leave: () => void
}

/** Watches the responses of a Node.js server: an upgrade may come behind requests that are not answered. */
export function watchResponses(server: Server): Owed {
  const last = new WeakMap<Duplex, ServerResponse>()
  const leave = tapEvents(server, (_, [request, response]) => {
    if (response instanceof ServerResponse) last.set((request as IncomingMessage).socket, response)
    return false
  })
  return {
    on(socket) {
      const response = last.get(socket)
      return response?.writableFinished || response?.destroyed ? undefined : response
    },
    leave,
  }
}
