import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { ApolloClient, gql, InMemoryCache } from '@apollo/client'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import { Hocuspocus } from '@hocuspocus/server'
import { type GuardedWebSocketClass, type Outcome, ticket, webSocketClass } from '@sallyport/client'
import { createGuard, createRoutes, header, ticket as tickets } from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client'
import { initTRPC } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { setupWSConnection } from '@y/websocket-server/utils'
import { Aedes } from 'aedes'
import { Centrifuge } from 'centrifuge'
import { createClient } from 'graphql-ws'
import { useServer } from 'graphql-ws/use/ws'
import { Socket as PhoenixSocket } from 'phoenix'
import { repeat, retry } from 'rxjs'
import { webSocket } from 'rxjs/webSocket'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import { Doc } from 'yjs'
import { verifyGood } from '../../server/test/support/guard.js'

// In Node.js it asks for sockets of `ws`, elsewhere for those of the standard. It looks where it is when it is loaded.
vi.stubGlobal('navigator', { product: 'ReactNative' })
const { default: mqtt } = await import('mqtt')
vi.unstubAllGlobals()

// The one that graphql-ws has: Vitest would load another.
const { buildSchema }: typeof import('graphql') = createRequire(import.meta.url)('graphql')

/** A client of a library, as the library's guide has it, and how it is stopped. */
interface Client {
  /** Resolves when the library has heard its server. */
  readonly heard: Promise<unknown>
  stop(): unknown
}

interface Library {
  readonly protocols?: string[]
  /** The path that the library makes of `/ws`. */
  readonly path?: string
  /** What speaks its protocol. */
  serve(webSocketServer: WebSocketServer): void
  connect(url: string, Class: GuardedWebSocketClass): Client
}

const schema = buildSchema('type Query { hello: String }')
const graphqlServer: Pick<Library, 'protocols' | 'serve'> = {
  protocols: ['graphql-transport-ws'],
  serve: (server) => void useServer({ schema, roots: { query: { hello: () => 'hello' } } }, server),
}
/** Connects at once, and comes again for ever, at once. */
const asGuided = { lazy: false, retryAttempts: 100, retryWait: async () => {}, onNonLazyError: () => {} }

const t = initTRPC.create()
const router = t.router({ hello: t.procedure.query(() => 'hello') })

/** Answers each message of text with another. */
const answer = (reply: (message: string) => string | undefined) => (server: WebSocketServer) => {
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      const said = reply(String(data))
      if (said) socket.send(said)
    })
  })
}

const libraries: Record<string, Library> = {
  'graphql-ws': {
    ...graphqlServer,
    connect(url, webSocketImpl) {
      const client = createClient({ url, webSocketImpl, ...asGuided })
      return { heard: client.iterate({ query: '{ hello }' }).next(), stop: () => client.dispose() }
    },
  },
  Apollo: {
    ...graphqlServer,
    connect(url, webSocketImpl) {
      const ws = createClient({ url, webSocketImpl, ...asGuided })
      const client = new ApolloClient({ link: new GraphQLWsLink(ws), cache: new InMemoryCache() })
      return { heard: client.query({ query: gql`{ hello }` }), stop: () => ws.dispose() }
    },
  },
  tRPC: {
    serve: (wss) => void applyWSSHandler({ wss, router }),
    connect(url, Class) {
      const client = createWSClient({ url, WebSocket: Class, retryDelayMs: () => 0 })
      const trpc = createTRPCClient<typeof router>({ links: [wsLink({ client })] })
      return { heard: trpc.hello.query(), stop: () => client.close() }
    },
  },
  'y-websocket': {
    path: '/ws/room',
    serve: (server) => void server.on('connection', (socket) => setupWSConnection(socket, { url: '/room' } as never)),
    connect(url, WebSocketPolyfill) {
      const provider = new WebsocketProvider(url, 'room', new Doc(), {
        WebSocketPolyfill,
        disableBc: true,
        maxBackoffTime: 0,
      })
      onTestFinished(() => provider.destroy())
      return { heard: new Promise((resolve) => provider.once('sync', resolve)), stop: () => provider.disconnect() }
    },
  },
  Hocuspocus: {
    serve(server) {
      const hocuspocus = new Hocuspocus({ quiet: true })
      server.on('connection', (socket, request) => hocuspocus.handleConnection(socket, request, {}))
    },
    connect(url, WebSocketPolyfill) {
      const websocketProvider = new HocuspocusProviderWebsocket({
        url,
        WebSocketPolyfill,
        delay: 1,
        minDelay: 1,
        maxDelay: 1,
        jitter: false,
      })
      const provider = new HocuspocusProvider({ websocketProvider, name: 'room', document: new Doc() })
      provider.attach()
      onTestFinished(() => {
        provider.destroy()
        websocketProvider.destroy()
      })
      return {
        heard: new Promise((resolve) => provider.on('synced', resolve)),
        stop: () => websocketProvider.disconnect(),
      }
    },
  },
  rxjs: {
    serve: answer((message) => message),
    connect(url, WebSocketCtor) {
      const subject = webSocket<string>({ url, WebSocketCtor })
      let subscription: { unsubscribe(): void } | undefined
      const heard = new Promise((resolve) => {
        subscription = subject.pipe(retry({ delay: 1 }), repeat({ delay: 1 })).subscribe(resolve)
      })
      subject.next('hello')
      return { heard, stop: () => subscription?.unsubscribe() }
    },
  },
  'mqtt.js': {
    protocols: ['mqtt'],
    serve(server) {
      const broker = Aedes.createBroker()
      server.on('connection', async (socket) => {
        const stream = createWebSocketStream(socket)
        stream.on('error', () => {})
        ;(await broker).handle(stream)
      })
    },
    connect(url, Class) {
      const client = mqtt.connect(url, {
        createWebsocket: (to: string, protocols: string[]) => new Class(to, protocols) as never,
        reconnectPeriod: 1,
      })
      client.on('error', () => {})
      return { heard: once(client as never, 'connect'), stop: () => client.end() }
    },
  },
  // There is no server of these two in npm: a few lines that answer what they say first.
  Phoenix: {
    path: '/ws/websocket',
    serve: answer((message) => {
      const [join, reference, topic] = JSON.parse(message)
      return JSON.stringify([join, reference, topic, 'phx_reply', { status: 'ok', response: {} }])
    }),
    connect(url, transport) {
      const socket = new PhoenixSocket(url, { transport, reconnectAfterMs: () => 1 })
      socket.connect()
      const heard = new Promise((resolve) => socket.channel('room:lobby').join().receive('ok', resolve))
      return { heard, stop: () => socket.disconnect() }
    },
  },
  Centrifuge: {
    serve: answer((message) => {
      const { id, connect } = JSON.parse(message.split('\n')[0] ?? '')
      return connect && JSON.stringify({ id, connect: { client: 'c', version: '1' } })
    }),
    connect(url, websocket) {
      const client = new Centrifuge(url, { websocket, minReconnectDelay: 1, maxReconnectDelay: 1 })
      client.connect()
      return { heard: client.ready(), stop: () => client.disconnect() }
    },
  },
}

/** A guarded server of a library. */
async function start({ protocols = [], path = '/ws', serve }: Library) {
  const guard = createGuard({
    protocols,
    accept: [tickets(), header({ verify: verifyGood })],
    limits: { failedAttempts: 1_000_000 },
  })
  const routes = createRoutes(guard, { path })
  const server = createServer((request, response) => void routes.node(request, response))
  const webSocketServer = new WebSocketServer({ noServer: true })
  serve(webSocketServer)
  guardServer(server, guard, { path, webSocketServer })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    for (const socket of webSocketServer.clients) socket.terminate()
    server.close()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`

  /** A client as `user`; with `stops` it stops the library at a terminal answer. */
  function connect(library: Library, user: string, stops: boolean) {
    let tickets = 0
    let isDone = false
    const outcomes: Outcome[] = []
    let [again, over] = [() => {}, () => {}]
    const comesAgain = new Promise<void>((resolve) => (again = resolve))
    const isOver = new Promise<void>((resolve) => (over = resolve))
    const Class = webSocketClass({
      WebSocket,
      reconnect: false,
      credential: ticket(`http://${host}${path}/ticket`, {
        token: () => {
          tickets += 1
          if (isDone) again()
          return `good-${user}`
        },
      }),
      onTerminal(outcome) {
        isDone = true
        outcomes.push(outcome)
        if (stops) client.stop()
        over()
      },
    })
    const client = library.connect(`ws://${host}/ws`, Class)
    // It may be in the middle of an attempt.
    onTestFinished(() => Promise.resolve(client.stop()).then(undefined, () => {}))
    return { heard: client.heard, comesAgain, isOver, outcomes, tickets: () => tickets }
  }

  return { guard, connect }
}

describe.each(Object.entries(libraries))('%s', (_name, library) => {
  it('comes in with the class of webSocketClass, and K34 stops at a terminal answer, where it would come again', async () => {
    const { guard, connect } = await start(library)
    const [stopped, goesOn] = [connect(library, 'ada', true), connect(library, 'bob', false)]
    await Promise.all([stopped.heard, goesOn.heard])
    await Promise.all(['ada', 'bob'].map((user) => guard.revoke({ user })))
    await Promise.all([stopped.isOver, goesOn.comesAgain])
    expect([stopped.outcomes.map(({ kind }) => kind), stopped.tickets()]).toEqual([['revoked'], 1])
  })
})
