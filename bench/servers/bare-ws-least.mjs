// A bound: bare ws and the least that a guard does. It asks for the address and counts it, looks the credential up by its hash,
// and keeps an entry with a name for as long as the connection lives. It checks nothing else.
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { echo } from './echo.mjs'

export default function start({ keys }) {
  const server = createServer()
  const webSocketServer = new WebSocketServer({ noServer: true, clientTracking: false })
  const hash = (text) => createHash('sha256').update(text).digest('base64url')
  const users = new Map()
  const undecided = new Map()
  const connections = new Map()

  function userOf(token) {
    const key = hash(token)
    if (!users.has(key)) users.set(key, verify(token))
    return users.get(key)
  }

  function verify(token) {
    const [head, claims, signature] = token.split('.')
    const expected = createHmac('sha256', keys.HS256.secret).update(`${head}.${claims}`).digest('base64url')
    return signature === expected ? JSON.parse(Buffer.from(claims, 'base64url')).sub : undefined
  }

  server.on('upgrade', (request, socket, head) => {
    const address = request.socket.remoteAddress
    undecided.set(address, (undecided.get(address) ?? 0) + 1)
    const user = userOf(request.headers.authorization.slice('Bearer '.length))
    if (user === undefined) {
      socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
      return
    }
    webSocketServer.handleUpgrade(request, socket, head, (webSocket) => {
      undecided.delete(address)
      const id = randomUUID()
      connections.set(id, { id, user, webSocket })
      webSocket.once('close', () => connections.delete(id))
      echo(webSocket)
    })
  })
  return { server }
}
