// Socket.IO: open to everybody, by hand with a middleware that verifies `auth.token` by jsonwebtoken ("Middlewares",
// "Sending credentials"), or with the guard.
import { createServer } from 'node:http'
import { createGuard, firstMessage } from '@sallyport/server'
import { jwt } from '@sallyport/server/jwt'
import { guardSocketIo } from '@sallyport/server/socket-io'
import jsonwebtoken from 'jsonwebtoken'
import { Server } from 'socket.io'

export default function start({ keys, way }) {
  const server = createServer()
  const io = new Server(server)
  const { secret } = keys.HS256
  if (way === 'guard') {
    const verify = jwt({ secret, algorithms: ['HS256'], issuer: 'bench', audience: 'bench' })
    guardSocketIo(io, createGuard({ accept: [firstMessage({ verify })] }))
  }
  if (way === 'hand') {
    io.use((socket, next) => {
      try {
        socket.data.user = jsonwebtoken.verify(socket.handshake.auth.token, secret)
        next()
      } catch {
        next(new Error('not authorized'))
      }
    })
  }
  io.on('connection', (socket) => socket.onAny((...message) => socket.emit(...message)))
  return { server }
}
