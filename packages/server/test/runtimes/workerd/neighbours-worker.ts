import { DurableObject } from 'cloudflare:workers'
import {
  type Connection,
  createGuard,
  createRoutes,
  firstMessage,
  fromFetch,
  graphqlWs,
  header,
  type Identity,
  ticket,
} from '@sallyport/server'
import { objectStore, storeObject } from '@sallyport/server/durable-objects'
import { guardWorkers } from '@sallyport/server/workers'
import { buildSchema } from 'graphql'
import { makeServer } from 'graphql-ws'
import { Hono } from 'hono'
import { upgradeWebSocket } from 'hono/cloudflare-workers'
import { cors } from 'hono/cors'
import { secureHeaders } from 'hono/secure-headers'
import { type ConnectionContext, type Connection as PartyConnection, routePartykitRequest, Server } from 'partyserver'
import type { ObjectNamespace, RuntimeWebSocket } from '../../../src/support/cloudflare.js'
import { verify } from './tokens.js'

export class Sallyport extends storeObject(DurableObject) {}

interface Env extends Record<string, unknown> {
  readonly STORE: object
  readonly CHAT: ObjectNamespace<Pick<Chat, 'revoke'>>
}

const guardOf = (store: object) =>
  createGuard({ store: objectStore(store), life: { leeway: 0 }, accept: [ticket(), header({ verify })] })

/** What partyserver and graphql-ws have been told of who connects, as text. */
const told: string[] = []

/** A party whose connections have been accepted by the guard of the Worker. */
export class Chat extends Server {
  override onConnect(connection: PartyConnection<Identity>, { request: { headers } }: ConnectionContext): void {
    const identity: Identity = JSON.parse(decodeURIComponent(headers.get('x-sallyport-identity') ?? ''))
    told.push([...headers].filter(([name]) => name.startsWith('x-')).join(' '))
    connection.setState(identity)
    connection.send(`hello ${identity.id}`)
    const left = Number(headers.get('x-sallyport-expires')) - Date.now()
    setTimeout(() => connection.close(4019, 'Credential expired'), Math.min(left, 2 ** 31 - 1))
  }
  override onMessage(connection: PartyConnection<Identity>, message: string): void {
    connection.send(`${connection.state?.id} said ${message}`)
  }
  revoke(id: string): void {
    for (const connection of this.getConnections<Identity>()) {
      if (connection.state?.id === id) connection.close(4010, 'Revoked')
    }
  }
}

/** Parties, each request of which the guard decides about. */
function parties(guard: ReturnType<typeof guardOf>) {
  const routes = createRoutes(guard, { path: '/parties/chat/:room' })

  async function onBeforeConnect(request: Request): Promise<Request | Response> {
    await guard.ready()
    const verdict = await guard.decide(fromFetch(request, request.headers.get('cf-connecting-ip') ?? ''))
    if (verdict.type !== 'accept') {
      const isDown = verdict.type === 'refuse' && verdict.code === 'unavailable'
      return new Response(null, { status: isDown ? 503 : 401 })
    }
    const headers = new Headers(request.headers)
    for (const name of [...headers.keys()]) if (/^x-(partykit|sallyport)-/.test(name)) headers.delete(name)
    headers.set('x-sallyport-identity', encodeURIComponent(JSON.stringify(verdict.identity)))
    headers.set('x-sallyport-expires', `${verdict.expiresAt ?? Number.POSITIVE_INFINITY}`)
    return new Request(request, { headers })
  }

  return async (request: Request, env: Env) => {
    if (request.method === 'POST') await guard.ready()
    return (await routes.fetch(request)) ?? (await routePartykitRequest(request, env as never, { onBeforeConnect }))
  }
}

/** An application of Hono with a guarded route, beside one of Hono's own. */
function application(guard: ReturnType<typeof guardOf>) {
  const path = (asked: string) => (/^(\/headers)?\/ws$/.test(asked) ? {} : undefined)
  const door = guardWorkers(guard, { path }, (socket, { identity }: Connection) => {
    const worker = socket as unknown as RuntimeWebSocket & EventTarget
    worker.addEventListener('message', (event) => worker.send((event as MessageEvent).data))
    worker.send(`hello ${identity.id}`)
  })
  const app = new Hono()
  app.use('/headers/*', cors(), secureHeaders())
  app.use(async (c, next) => (await door.fetch(c.req.raw)) ?? next())
  app.get('/hello', (c) => c.text('hello'))
  app.get(
    '/theirs',
    upgradeWebSocket(() => ({ onMessage: ({ data }, socket) => socket.send(`theirs ${data}`) })),
  )
  return app
}

/** A server of graphql-ws, whose clients bring their credential in its first message. */
function graph(store: object) {
  const guard = createGuard({
    store: objectStore(store),
    protocols: ['graphql-transport-ws'],
    life: { leeway: 0 },
    accept: [header({ verify }), firstMessage({ verify })],
  })
  const server = makeServer<Record<string, unknown>, { readonly user: string }>({
    schema: buildSchema('type Query { me: String }'),
    roots: { query: { me: (_: object, { user }: { user: string }) => user } },
    context: ({ extra }) => extra,
    onConnect: ({ connectionParams }) => void told.push(JSON.stringify(connectionParams)),
  })
  return guardWorkers(guard, { path: '/graphql', dialect: graphqlWs }, (socket, { identity, protocol = '' }) => {
    const worker = socket as unknown as RuntimeWebSocket & EventTarget
    const closed = server.opened(
      {
        protocol,
        send: (data) => worker.send(data),
        close: (code, reason) => worker.close(code, reason),
        onMessage: (listener) =>
          worker.addEventListener('message', (event) => void listener((event as MessageEvent).data)),
      },
      { user: identity.id },
    )
    worker.addEventListener('close', (event) => void closed((event as CloseEvent).code, (event as CloseEvent).reason))
  })
}

const make = (store: object) => {
  const guard = guardOf(store)
  return { guard, app: application(guard), party: parties(guard), graph: graph(store) }
}
let made: ReturnType<typeof make> | undefined

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    made ??= make(env.STORE)
    const { guard, app, party, graph } = made
    const { pathname, searchParams } = new URL(request.url)
    const user = searchParams.get('revoke')
    if (user !== null) {
      await guard.revoke({ user })
      await env.CHAT.get(env.CHAT.idFromName('plans')).revoke(user)
      return new Response()
    }
    if (pathname === '/told') return Response.json(told.splice(0))
    return (await party(request, env)) ?? (await graph.fetch(request)) ?? app.fetch(request)
  },
}
