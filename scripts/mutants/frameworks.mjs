// The way of accepted sockets through frameworks that upgrade by themselves.
import { mutantsOf } from '../mutants-of.mjs'

const fastify = ['unit/adapters/fastify.test.ts', 'contract/adapter.fastify.test.ts']
const hono = ['unit/adapters/hono.test.ts']

const of = mutantsOf()

export default [
  ...of(
    'adapters/ws/framework-route.ts',
    [...fastify, ...hono],
    [
      ['if (passing.isMet) passing.give(take)', 'if (true) passing.give(take)', 'a route that no guard stands before'],
      ['    hideCredentials(request, connection)\n', '', 'a credential is logged by the framework'],
      [
        'if (this.webSocket.readyState !== this.webSocket.OPEN) return\n',
        '\n',
        'a socket that is over is handed over all the same',
      ],
      ['if (connection) liveConnections', 'if (false) liveConnections', 'a hook of the application refuses nobody'],
      ['    passing.watch()\n', '', 'a framework goes on with an upgrade whose client has left'],
    ],
  ),
  ...of('adapters/fastify.ts', fastify, [
    [
      'if (raw.headers.upgrade === undefined) return pass()',
      'return pass()',
      'another spelling of the path is not guarded',
    ],
  ]),
  ...of(
    'adapters/ws/endable.ts',
    [...fastify, 'nest/gateways.test.ts'],
    [
      ['isOver ? end(socket) : handler(', 'handler(', 'a closing application is kept open by who comes'],
      [
        'if (connection) liveConnections(guard).end(',
        'if (false) liveConnections(guard).end(',
        'a closing application waits for its clients',
      ],
    ],
  ),
  ...of('adapters/hono.ts', hono, [
    [
      "if (!incoming || c.req.header('upgrade') === undefined) return next()",
      'return next()',
      'another spelling of the path is not guarded',
    ],
    ['incoming && fromNode(incoming).address', 'undefined', 'a flood of bad credentials at the routes is not counted'],
  ]),
]
