import { WebSocketServer } from 'ws'
import { startServer } from '../support/server.js'
import { adapterContract } from './adapter.js'

adapterContract('ws', startServer)

adapterContract('ws with a WebSocketServer of the user', (guard, onConnection) =>
  startServer(guard, onConnection, {
    webSocketServer: new WebSocketServer({ noServer: true, perMessageDeflate: true }),
  }),
)
