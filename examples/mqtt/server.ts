import { createServer } from 'node:http'
import { createRoutes, mqtt } from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import { Aedes, type Client } from 'aedes'
import { createWebSocketStream } from 'ws'
import { nodeAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'
import { greet } from './greet.js'
import { readWhole } from './read-whole.js'

const routes = createRoutes(guard, { path: '/ws' })
const server = createServer(async (request, response) => {
  if (await routes.node(request, response)) return
  if (await nodeAccounts(request, response)) return
  response.writeHead(404).end()
})
/** What the topics of a client begin with: its user's own. */
const topics = new WeakMap<Client, string>()
const isOwn = (client: Client, topic: string) => topic.startsWith(topics.get(client)!)
const broker = await Aedes.createBroker({
  // What a client calls itself is its own word: another user may say the same, and would get its session.
  preConnect(client, packet, done) {
    if (packet.clientId) packet.clientId = `${topics.get(client)}${packet.clientId}`
    done(null, true)
  },
  authorizePublish: (client, { topic }, done) => done(!client || isOwn(client, topic) ? null : new Error('not yours')),
  authorizeSubscribe: (client, subscription, done) =>
    done(null, isOwn(client, subscription.topic) ? subscription : null),
})
guardServer(server, guard, { path: '/ws', dialect: mqtt }, (socket, connection) => {
  const stream = readWhole(createWebSocketStream(socket))
  stream.on('error', () => {}) // the peer may reset it
  const client = broker.handle(stream)
  // What a user is called may have signs that mean something in a topic.
  topics.set(client, `users/${encodeURIComponent(connection.identity.id)}/`)
  client.once('connected', () => greet(client, topics.get(client)!, connection))
})
server.listen(address, () => ready('mqtt'))
