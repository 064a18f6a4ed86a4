import type { BunHandlers, BunSocket, GuardedData } from '@sallyport/server/bun'

/** The same for Bun. */
export const welcome: BunHandlers<BunSocket<GuardedData>> = {
  open(ws) {
    const { identity, method } = ws.data.connection
    ws.send(JSON.stringify({ type: 'welcome', userId: identity.id, method }))
  },
  message(ws, message) {
    ws.send(typeof message === 'string' ? JSON.stringify({ type: 'echo', data: message }) : new Uint8Array(message))
  },
}
