// The limit of the runtime: its HTTP parser, and the 101 written by hand.
import { createServer } from 'node:http'
import { switching } from './switching.mjs'

export default function start() {
  const server = createServer()
  server.on('upgrade', (request, socket) => {
    socket.on('error', () => {})
    socket.on('end', () => socket.end()) // an upgraded socket is half-open otherwise
    socket.resume()
    socket.write(switching(request.headers['sec-websocket-key']))
  })
  return { server }
}
