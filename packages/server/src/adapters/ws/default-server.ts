import { WebSocketServer } from 'ws'
import { defaultMessageBytes } from '../../connections/socket-options.js'

/** What upgrades where nobody gives a `WebSocketServer`: without compression, and with messages of 1 MiB at most. */
export const defaultWebSocketServer = ({ clientTracking }: { readonly clientTracking: boolean }): WebSocketServer =>
  new WebSocketServer({ noServer: true, clientTracking, perMessageDeflate: false, maxPayload: defaultMessageBytes })
