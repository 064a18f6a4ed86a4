import { createServer } from 'node:http'
import { createRoutes, stomp } from '@sallyport/server'
import { connectionOf, guardServer } from '@sallyport/server/ws'
import { WebSocket } from 'ws'
import { nodeAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'
import { createBroker, type Middleware } from './broker.js'

const routes = createRoutes(guard, { path: '/ws' })
const server = createServer(async (request, response) => {
  if (await routes.node(request, response)) return
  if (await nodeAccounts(request, response)) return
  response.writeHead(404).end()
})
const broker = createBroker()
guardServer(server, guard, { path: '/ws', dialect: stomp }, (socket) => broker.socket.emit('connection', socket))

// Each user has destinations of its own, which all call /user: a name may have signs that mean something in one.
const toOwn: Middleware = (socket, frame, next) => {
  if (!(socket instanceof WebSocket)) return next()
  if (!frame.dest.startsWith('/user.')) return false
  const { identity } = connectionOf(guard, socket)
  frame.dest = frame.dest.replace('/user.', `/users.${Buffer.from(identity.id).toString('base64url')}.`)
  return next()
}
broker.addMiddleware('subscribe', toOwn)
broker.addMiddleware('send', toOwn)

broker.on('subscribe', ({ topic, socket }) => {
  const { identity, method } = connectionOf(guard, socket)
  if (topic.endsWith('.welcome')) broker.send(topic, {}, JSON.stringify({ userId: identity.id, method }))
})
// The broker sends nobody his own messages: the application answers.
broker.on('send', ({ dest, frame }) => {
  if (dest.endsWith('.say')) broker.send(dest.replace(/say$/, 'echo'), {}, frame.body)
})
server.listen(address, () => ready('stomp'))
