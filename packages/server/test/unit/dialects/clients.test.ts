import { type CodeName, codes } from '@sallyport/protocol'
import { createGuard, type Dialect, graphqlWs, header, query, yjs } from '@sallyport/server'
import { createClient } from 'graphql-ws'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import { Doc } from 'yjs'
import type { LiveConnection } from '../../../src/connections/live-connection.js'
import { liveConnections } from '../../../src/connections/of-guard.js'
import { plain } from '../../../src/dialects/plain.js'
import { deferred } from '../../support/deferred.js'
import { verifyGood } from '../../support/guard.js'
import { startServer } from '../../support/server.js'

/** What a client does about the end of its connection. */
type Done = 'stops' | 'comes again'

/** What a connection may end with. */
const names = (Object.keys(codes) as CodeName[]).filter((name) => 'close' in codes[name])

/** What the table asks of a client. These clients try again for ever or not at all, where it asks for one retry. */
function asked(name: CodeName, once: Partial<Record<CodeName, Done>>): Done {
  return once[name] ?? (codes[name].action === 'stop' ? 'stops' : 'comes again')
}

/** A server that ends its first connection with a code as soon as the client says something; the second it lets be. */
async function serverThatEnds(name: CodeName, dialect: Dialect, path = '/ws') {
  const guard = createGuard({
    refuseBy: 'close',
    protocols: ['graphql-transport-ws'],
    accept: [query({ verify: verifyGood }), header({ verify: verifyGood })],
  })
  let opened = 0
  const { port } = await startServer(
    guard,
    (socket, connection) => {
      opened += 1
      const isFirst = opened === 1
      socket.on('message', (data) => {
        if (isFirst) liveConnections(guard).end(connection as LiveConnection, name)
        else if (String(data).includes('connection_init')) socket.send('{"type":"connection_ack"}')
      })
    },
    { path, dialect },
  )
  return `ws://127.0.0.1:${port}`
}

/** The client of graphql-ws: what it does, and how often it asked for its `connectionParams`. */
async function graphqlClient(url: string, token = 'good-ada') {
  const { promise, resolve } = deferred<Done>()
  let questions = 0
  const client = createClient({
    url: `${url}/ws?token=${token}`,
    webSocketImpl: WebSocket,
    lazy: false,
    retryWait: async () => {},
    connectionParams() {
      questions += 1
      return {}
    },
    onNonLazyError: () => resolve('stops'),
    on: { connected: () => resolve('comes again') },
  })
  const done = await promise
  await client.dispose()
  return { done, questions }
}

/** The client of y-websocket. */
async function yjsClient(url: string, token = 'good-ada'): Promise<Done> {
  const { promise, resolve } = deferred<Done>()
  const provider = new WebsocketProvider(`${url}/ws`, 'room', new Doc(), {
    params: { token },
    WebSocketPolyfill: WebSocket as never,
    disableBc: true,
    maxBackoffTime: 0,
  })
  let connected = 0
  provider.on('status', ({ status }) => {
    if (status === 'connected') connected += 1
    if (connected === 2) resolve('comes again')
  })
  provider.on('closed', () => resolve('stops'))
  return promise.finally(() => provider.destroy())
}

describe('the client of graphql-ws', () => {
  const once = { unauthenticated: 'stops', timeout: 'comes again' } as const

  it.each(names)('does what the table asks, after %s', async (name) => {
    const { done, questions } = await graphqlClient(await serverThatEnds(name, graphqlWs))
    expect(done).toBe(asked(name, once))
    expect(questions).toBe(done === 'stops' ? 1 : 2)
  })

  it('does not without its dialect', async () => {
    const wrong: CodeName[] = []
    for (const name of names) {
      const { done } = await graphqlClient(await serverThatEnds(name, plain))
      if (done !== asked(name, once)) wrong.push(name)
    }
    expect(wrong).toEqual(['unauthenticated', 'forbidden', 'replaced', 'revoked', 'internal'])
  })

  it('G40 stops when its credential is bad', async () => {
    const url = await serverThatEnds('expired', graphqlWs)
    expect(await graphqlClient(url, 'bad')).toEqual({ done: 'stops', questions: 1 })
  })
})

describe('the client of y-websocket', () => {
  const once = { unauthenticated: 'stops', timeout: 'stops' } as const

  it.each(names)('does what the table asks, after %s', async (name) => {
    expect(await yjsClient(await serverThatEnds(name, yjs, '/ws/room'))).toBe(asked(name, once))
  })

  it('does not without its dialect', async () => {
    const wrong: CodeName[] = []
    for (const name of names) {
      const url = await serverThatEnds(name, plain, '/ws/room')
      if ((await yjsClient(url)) !== asked(name, once)) wrong.push(name)
    }
    expect(wrong).toEqual([
      'unauthenticated',
      'timeout',
      'forbidden',
      'replaced',
      'revoked',
      'badRequest',
      'credentialTooLarge',
    ])
  })

  it('G40 stops when its credential is bad', async () => {
    const url = await serverThatEnds('expired', yjs, '/ws/room')
    expect(await yjsClient(url, 'bad')).toBe('stops')
  })
})
