import { createRequire } from 'node:module'
import { createGuard, graphqlWs, header } from '@sallyport/server'
import { connectionOf } from '@sallyport/server/ws'
import { createClient } from 'graphql-ws'
import { useServer } from 'graphql-ws/use/ws'
import { expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { verifyGood } from '../support/guard.js'
import { emitting } from './beside.js'

// The same copy that graphql-ws takes: another's schemas are foreign to it.
const { buildSchema }: typeof import('graphql') = createRequire(import.meta.url)('graphql')

it('graphql-ws serves accepted sockets, with the request and the identity, and no adapter', async () => {
  const guard = createGuard({ protocols: ['graphql-transport-ws'], accept: [header({ verify: verifyGood })] })
  const webSocketServer = new WebSocketServer({ noServer: true })
  useServer(
    {
      schema: buildSchema('type Query { me: String }'),
      roots: { query: { me: (_: object, { user }: { user: string }) => user } },
      context: ({ extra: { socket, request } }) => ({
        user: `${connectionOf(guard, socket).identity.id} at ${request.url} from ${request.headers['user-agent']}`,
      }),
    },
    webSocketServer,
  )
  const url = await emitting(guard, { path: '/ws', webSocketServer, dialect: graphqlWs })
  class Authorized extends WebSocket {
    constructor(address: string, protocols: string[]) {
      super(address, protocols, { headers: { Authorization: 'Bearer good-ada', 'User-Agent': 'test' } })
    }
  }
  const client = createClient({ url: `${url}/ws`, webSocketImpl: Authorized })
  for await (const answer of client.iterate({ query: '{ me }' })) {
    expect(answer).toEqual({ data: { me: 'ada at /ws from test' } })
  }
  await client.dispose()
})
