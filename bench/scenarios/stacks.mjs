// Each adapter beside the same stack without us: handshakes, and messages after the accept. A route that is open to everybody
// is the bound of what a guard could reach; what people write by hand is the peer, and remembers no token.
import * as say from '../conversations.mjs'
import { repeat } from '../credentials.mjs'
import { measureEchoes } from '../echoes.mjs'
import { measureHandshakes } from '../handshakes.mjs'

export const scenario = 'stacks'

const { status, socketIo, socketIoGuard, closed } = say.refusals
const overWebSocket = { anonymous: say.anonymous, tell: say.bearer, echoes: true }

/** The stacks: their servers, what people authenticate with by hand, how each refuses, and what clients say. */
const stacks = [
  ['Fastify with @fastify/websocket', 'fastify', '@fastify/jwt', status, status, overWebSocket],
  ['Hono', 'hono', 'hono/jwt', status, status, overWebSocket],
  ['NestJS', 'nest', 'fast-jwt in handleConnection', closed, status, overWebSocket],
  ['crossws', 'crossws', 'fast-jwt in upgrade', status, status, overWebSocket],
  [
    'Socket.IO',
    'socket-io',
    'jsonwebtoken in a middleware',
    socketIo,
    socketIoGuard,
    // An application is reached by an event of Socket.IO.
    { anonymous: say.socketIoAnonymous, tell: say.socketIo, echoes: false, wrap: say.socketIoEvent },
  ],
]

export async function measure({ credentials, effort, wants }) {
  const { keys, fresh, seen, forged } = credentials
  const rows = []
  for (const [stack, name, means, refusedByHand, refused, words] of stacks.filter(([stack]) => wants(stack))) {
    const { anonymous, tell, echoes, wrap } = words
    const server = (way) => [name, { way, keys }]
    const withTokens = (row, way, tokens, refusal, more) => ({
      row,
      server: server(way),
      prepare: (_server, count) => tokens(count).map((token) => tell(token)),
      opposite: () => tell(forged('HS256'), refusal),
      echoes,
      ...more,
    })
    const open = `${stack}, open`
    const byHand = `${stack}, by hand: ${means}`
    const handshakes = [
      {
        row: open,
        server: server('open'),
        prepare: (_server, count) => repeat([anonymous()], count),
        echoes,
      },
      withTokens(byHand, 'hand', fresh('HS256'), refusedByHand, { control: open }),
      withTokens(`${stack}, guarded`, 'guard', seen('HS256'), refused, {
        control: open,
        goal: { of: 'ratio', least: 0.75 },
      }),
      withTokens(`${stack}, guarded, tokens first seen`, 'guard', fresh('HS256'), refused, { control: byHand }),
    ]
    rows.push(
      ...(await measureHandshakes({
        scenario,
        rows: handshakes,
        credentials,
        wants: () => true,
        ...effort.handshakes,
      })),
      ...(await measureEchoes({
        scenario,
        control: { row: open, server: server('open'), conversations: (count) => repeat([anonymous()], count) },
        ours: {
          row: `${stack}, guarded`,
          server: server('guard'),
          conversations: (count) => fresh('HS256')(count).map((token) => tell(token)),
        },
        wrap,
        ...effort.echo,
      })),
    )
  }
  return rows
}
