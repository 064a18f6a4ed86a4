// The guard as a user sets it up, with the one way in that is measured.
import { createServer } from 'node:http'
import {
  cookie,
  createGuard,
  createRoutes,
  firstMessage,
  header,
  query,
  session,
  subprotocol,
  ticket,
} from '@sallyport/server'
import { jwt } from '@sallyport/server/jwt'
import { guardServer } from '@sallyport/server/ws'
import { createSigner } from '../credentials.mjs'
import { echo } from './echo.mjs'

const path = '/ws'
const host = 'bench'

/** `way`: the name of a method. `alg`: of the tokens. `keys`: of {@link createKeys}. */
export default function start(options) {
  const { guard, ...offered } = setUp(options)
  const routes = createRoutes(guard, { path })
  const server = createServer(async (request, response) => {
    if (!(await routes.node(request, response))) response.writeHead(404).end()
  })
  guardServer(server, guard, { path }, echo)
  return { server, ...offered }
}

/** The guard, and what is asked of it. */
export function setUp({ way, alg = 'HS256', keys }) {
  const { secret, publicKey } = keys[alg]
  const key = secret === undefined ? { publicKey } : { secret }
  const verify = jwt({ ...key, algorithms: [alg], issuer: 'bench', audience: 'bench' })
  const sessions = new Map()
  const accept = {
    ticket: [ticket(), header({ verify })], // the header is what the ticket route asks for
    header: [header({ verify })],
    cookie: [cookie({ name: '__Host-session', verify: session((id) => sessions.get(id)) })],
    subprotocol: [subprotocol({ verify })],
    query: [query({ verify })],
    message: [firstMessage({ verify })],
  }[way]
  const guard = createGuard({
    accept,
    ...(way === 'cookie' && { origins: ['https://app.example.com'] }),
    ...(way === 'subprotocol' && { protocols: ['chat'] }),
  })

  return {
    guard,

    /** Tickets for as many users, one each, as the ticket route issues them. */
    async tickets({ count }) {
      const tokenOf = createSigner('HS256', keys)
      const issued = []
      for (let i = 0; i < count; i += 1) {
        const headers = [
          ['host', host],
          ['authorization', `Bearer ${tokenOf(`user-${i}`)}`],
        ]
        const request = { method: 'POST', target: `${path}/ticket`, httpVersion: '1.1', headers, address: '127.0.0.1' }
        issued.push((await guard.issueTicket(request, path)).ticket)
      }
      return issued
    },

    /** Logs that many users in, and answers their cookies. */
    sessions({ count }) {
      const expiresAt = Date.now() + 3_600_000
      for (let i = 0; i < count; i += 1) sessions.set(`session-${i}`, { identity: { id: `user-${i}` }, expiresAt })
      return Array.from(sessions.keys(), (id) => `__Host-session=${id}`)
    },

    /** Revokes users, all at once: milliseconds until that is done, and how many connections of ours it closed. */
    async revoke({ users }) {
      const start = performance.now()
      const revoked = await Promise.all(users.map((user) => guard.revoke({ user })))
      const milliseconds = performance.now() - start
      return { milliseconds, closed: revoked.reduce((sum, { closed }) => sum + closed, 0) }
    },

    connections: () => guard.connections.size,
  }
}
