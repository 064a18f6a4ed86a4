// Authenticated upgrades: each way in beside bare ws, its peers, and what the runtime itself can do.
import * as say from '../conversations.mjs'
import { repeat } from '../credentials.mjs'
import { measureHandshakes } from '../handshakes.mjs'

export const scenario = 'upgrades'

const bareWs = 'bare ws'
const least = 'bound: bare ws and the least that a guard does'
const bareMessage = 'bare ws, answering a first message'
const signatures = ['ES256', 'RS256', 'EdDSA']
const boundOf = (alg) => `bound: bare ws and one ${alg} by node:crypto`

export async function measure({ credentials, effort, wants }) {
  const { keys, fresh, seen, forged } = credentials

  /** A row of tokens, which `tell` brings. */
  const withTokens = (row, server, tell, tokens, refusal, more) => ({
    row,
    server,
    prepare: (_server, count) => tokens(count).map((token) => tell(token)),
    echoes: true,
    opposite: () => tell(forged(server[1].alg ?? 'HS256'), refusal),
    control: bareWs,
    ...more,
  })
  const ours = (way, alg) => ['sallyport', { way, alg, keys }]
  const peer = (row, name, tell, refusal, more) =>
    withTokens(row, [name, { keys, way: 'hand' }], tell, fresh('HS256'), refusal, more)
  const { status } = say.refusals
  const atLeast = (least) => ({ goal: { of: 'ratio', least } })
  const anonymous = (row, name, more) => ({
    row,
    server: [name, {}],
    prepare: (_server, count) => repeat([say.anonymous()], count),
    ...more,
  })

  const rows = [
    anonymous(bareWs, 'bare-ws', { echoes: true }),
    anonymous('node:net, 101 by hand', 'node-net', { control: bareWs }),
    anonymous('node:http, 101 by hand', 'node-http', { control: bareWs }),
    withTokens(least, ['bare-ws-least', { keys }], say.bearer, seen('HS256'), status),

    {
      row: 'ticket',
      server: ours('ticket'),
      prepare: async (server, count) => (await server.call('tickets', { count })).map((text) => say.ticket(text)),
      opposite: () => say.ticket('x'.repeat(43), status),
      echoes: true,
      control: least,
      ...atLeast(0.8),
    },
    {
      row: 'cookie, session in memory',
      server: ours('cookie'),
      prepare: async (server, count) =>
        repeat(await server.call('sessions', { count: 1_000 }), count).map((cookie) => say.cookie(cookie)),
      opposite: () => say.cookie('__Host-session=unknown', say.refusals.close),
      echoes: true,
      control: least,
      ...atLeast(0.9),
    },
    withTokens('header, HS256 seen before', ours('header'), say.bearer, seen('HS256'), status, {
      control: least,
      ...atLeast(0.9),
    }),
    withTokens('header, HS256 first seen', ours('header'), say.bearer, fresh('HS256'), status),
    ...signatures.flatMap((alg) => [
      { row: boundOf(alg), bound: { row: bareWs, alg }, control: bareWs },
      withTokens(`header, ${alg} first seen`, ours('header', alg), say.bearer, fresh(alg), status, {
        control: boundOf(alg),
        ...atLeast(0.8),
      }),
    ]),
    withTokens('subprotocol, HS256 seen before', ours('subprotocol'), say.subprotocol, seen('HS256'), status),
    withTokens('query token, HS256 first seen', ours('query'), say.queryToken, fresh('HS256', 60), status),
    {
      row: bareMessage,
      server: ['bare-ws-first-message', {}],
      prepare: (_server, count) => seen('HS256')(count).map((token) => say.firstMessage(token)),
      echoes: true,
      control: bareWs,
    },
    ...[
      ['first message, HS256 seen before', seen, atLeast(0.85)],
      ['first message, HS256 first seen', fresh, {}],
    ].map(([row, tokens, goal]) =>
      withTokens(row, ours('message'), say.firstMessage, tokens('HS256'), say.refusals.firstMessage, {
        control: bareMessage,
        ...goal,
      }),
    ),

    peer('ws and jsonwebtoken, string secret', 'ws-jsonwebtoken', say.queryToken, status),
    peer('ws and jose', 'ws-jose', say.queryToken, status),
    peer('ws and fast-jwt', 'ws-fast-jwt', say.queryToken, status),
    peer('@fastify/websocket and @fastify/jwt', 'fastify', say.bearer, status),
    peer('Socket.IO and jsonwebtoken', 'socket-io', say.socketIo, say.refusals.socketIo, { echoes: false }),
    peer('graphql-ws and jsonwebtoken', 'graphql-ws', say.graphql, say.refusals.graphql, { echoes: false }),
    {
      row: 'express-session on the upgrade',
      server: ['express-session', { keys }],
      prepare: async ({ port }, count) => repeat(await logIn(port, 100), count).map((line) => say.cookie(line)),
      opposite: () => say.cookie('connect.sid=s%3Aunknown.signature', status),
      echoes: true,
      control: bareWs,
    },
  ]

  // Peers remember no token, so that each is as a token first seen.
  const against = (control, least) =>
    withTokens(`header, HS256 first seen, beside ${control}`, ours('header'), say.bearer, fresh('HS256'), status, {
      control,
      ...atLeast(least),
    })
  rows.push(
    against('ws and jsonwebtoken, string secret', 3),
    against('ws and fast-jwt', 1),
    against('@fastify/websocket and @fastify/jwt', 1),
    against('Socket.IO and jsonwebtoken', 2),
  )
  return measureHandshakes({ scenario, rows, credentials, wants, ...effort.handshakes })
}

/** The cookies of as many logins. */
function logIn(port, count) {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const response = await fetch(`http://127.0.0.1:${port}/login`, { method: 'POST' })
      return response.headers.get('set-cookie').split(';')[0]
    }),
  )
}
