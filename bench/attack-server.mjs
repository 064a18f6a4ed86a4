// The server of attack.mjs: the guard as a user sets it up, or bare ws for the control row.
import { createServer } from 'node:http'
import { createGuard, firstMessage, header } from '@sallyport/server'
import { jwt } from '@sallyport/server/jwt'
import { guardServer } from '@sallyport/server/ws'
import { WebSocketServer } from 'ws'

const [kind, secret] = process.argv.slice(2)
const server = createServer((_request, response) => response.writeHead(404).end())

if (kind === 'bare ws') {
  new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
    socket.on('error', () => {})
    socket.send('hello')
  })
} else {
  const verify = jwt({ secret, algorithms: ['HS256'], issuer: 'bench', audience: 'bench' })
  const guard = createGuard({ accept: [header({ verify }), firstMessage({ verify })] })
  guardServer(server, guard, { path: '/ws' }, (socket) => socket.send('hello'))
}
server.listen(0, '0.0.0.0', () => process.send?.(server.address().port))
