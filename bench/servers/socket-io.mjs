// Socket.IO with a middleware that verifies `auth.token` by jsonwebtoken ("Middlewares", "Sending credentials").
import { createServer } from 'node:http'
import jwt from 'jsonwebtoken'
import { Server } from 'socket.io'

export default function start({ keys }) {
  const server = createServer()
  const io = new Server(server)
  io.use((socket, next) => {
    try {
      socket.data.user = jwt.verify(socket.handshake.auth.token, keys.HS256.secret)
      next()
    } catch {
      next(new Error('not authorized'))
    }
  })
  io.on('connection', (socket) => socket.onAny((...message) => socket.emit(...message)))
  return { server }
}
