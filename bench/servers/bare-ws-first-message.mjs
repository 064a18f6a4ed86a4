// The control of the first message: ws alone, which answers the first message with as many bytes as the guard's `auth_ok`.
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { echo } from './echo.mjs'

const answer = JSON.stringify({ type: 'auth_ok', userId: 'user-1', connection: 'x'.repeat(22), expiresIn: 3600 })

export default function start() {
  const server = createServer()
  new WebSocketServer({ server, path: '/ws' }).on('connection', (socket) => {
    socket.once('message', () => {
      socket.send(answer)
      echo(socket)
    })
  })
  return { server }
}
