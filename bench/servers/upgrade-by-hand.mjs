// Authentication in the upgrade handler, as the README of ws shows it ("Client authentication").
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { echo } from './echo.mjs'

const ignore = () => {}

/** `authenticate` takes a request, and answers, or resolves to, whose it is; what it throws is a refusal. */
export function upgradeByHand(authenticate) {
  const server = createServer()
  const wss = new WebSocketServer({ noServer: true })
  wss.on('connection', echo)
  server.on('upgrade', async (request, socket, head) => {
    socket.on('error', ignore)
    let client
    try {
      client = await authenticate(request)
    } catch {
      socket.write('HTTP/1.1 401 Unauthorized\r\n\r\n')
      socket.destroy()
      return
    }
    socket.removeListener('error', ignore)
    wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request, client))
  })
  return server
}

/** The token of `?token=…`. */
export const tokenOf = (request) => new URL(request.url, 'ws://bench').searchParams.get('token')
