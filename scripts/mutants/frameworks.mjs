// The way of accepted sockets through frameworks that upgrade by themselves.
const fastify = ['unit/adapters/fastify.test.ts', 'contract/adapter.fastify.test.ts']
const hono = ['unit/adapters/hono.test.ts']

const of = (file, tests, list) => list.map(([find, replace, why]) => ({ file, find, replace, why, tests }))

export default [
  ...of(
    'adapters/ws/framework-route.ts',
    [...fastify, ...hono],
    [
      [
        'if (passing?.isMet) passing.give(take)',
        'if (passing) passing.give(take)',
        'a route that no guard stands before',
      ],
      ['      hideCredentials(request, connection)\n', '', 'a credential is logged by the framework'],
      [
        'if (webSocket.readyState !== webSocket.OPEN) return socket.destroy()',
        '',
        'a socket that is over is handed over all the same',
      ],
      ['if (connection) connections.end(', 'if (false) connections.end(', 'a hook of the application refuses nobody'],
      ["      webSocket.once('close', onGone)\n", '', 'a framework goes on with an upgrade whose client has left'],
    ],
  ),
  ...of('adapters/fastify.ts', fastify, [
    [
      'else if (raw.headers.upgrade !== undefined) {',
      'else if (false) {',
      'another spelling of the path is not guarded',
    ],
    ['if (isOver) return end(connection)', '', 'a closing application is kept open by who comes'],
    [
      'if (ours.has(connection)) end(connection)',
      'end(connection)',
      'another application of the guard loses its sockets',
    ],
    [
      'for (const connection of connections) if',
      'for (const connection of []) if',
      'an application that closes waits for its clients',
    ],
  ]),
  ...of('adapters/hono.ts', hono, [
    [
      "if (answered || !incoming || c.req.header('upgrade') === undefined) return answered",
      'return answered',
      'another spelling of the path is not guarded',
    ],
    ['incoming && fromNode(incoming).address', 'undefined', 'a flood of bad credentials at the routes is not counted'],
  ]),
]
