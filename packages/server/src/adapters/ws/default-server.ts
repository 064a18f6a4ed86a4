import { WebSocketServer } from 'ws'

/** How many bytes a message may have where nobody says: 1 MiB. */
export const maxPayload = 1_048_576

/** What upgrades where nobody gives a `WebSocketServer`: without compression, and with messages of 1 MiB at most. */
export const defaultWebSocketServer = ({ clientTracking }: { readonly clientTracking: boolean }): WebSocketServer =>
  new WebSocketServer({ noServer: true, clientTracking, perMessageDeflate: false, maxPayload })
