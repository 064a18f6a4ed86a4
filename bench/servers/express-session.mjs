// The session of express-session looked up on the upgrade, by the example `express-session-parse` of ws.
import { createServer } from 'node:http'
import express from 'express'
import session from 'express-session'
import { WebSocketServer } from 'ws'
import { echo } from './echo.mjs'

const ignore = () => {}

export default function start({ keys }) {
  const app = express()
  const sessionParser = session({ saveUninitialized: false, secret: keys.HS256.secret, resave: false })
  app.use(sessionParser)
  app.post('/login', (request, response) => {
    request.session.userId = 'user-1'
    response.send({ result: 'OK' })
  })
  const server = createServer(app)
  const wss = new WebSocketServer({ clientTracking: false, noServer: true })
  wss.on('connection', echo)
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', ignore)
    sessionParser(request, {}, () => {
      if (!request.session.userId) {
        socket.write('HTTP/1.1 401 Unauthorized\r\n\r\n')
        socket.destroy()
        return
      }
      socket.removeListener('error', ignore)
      wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request))
    })
  })
  return { server }
}
