import { createRequire } from 'node:module'
import { graphqlWs } from '@sallyport/server'
import { connectionOf } from '@sallyport/server/ws'
import { type Client, createClient } from 'graphql-ws'
import { useServer } from 'graphql-ws/use/ws'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { deferred } from '../support/deferred.js'
import { type Speaking, speaking } from './speaking.js'

// The same copy that graphql-ws takes: another's schemas are foreign to it.
const { buildSchema }: typeof import('graphql') = createRequire(import.meta.url)('graphql')

/** A server of graphql-ws, and what it gets to see. */
async function start() {
  const seen: unknown[] = []
  const server = await speaking(
    graphqlWs,
    (webSocketServer, guard) =>
      useServer(
        {
          schema: buildSchema('type Query { me: String }'),
          roots: { query: { me: (_: object, { user }: { user: string }) => user } },
          onConnect: ({ connectionParams }) => void seen.push(connectionParams),
          context: ({ extra }) => ({ user: connectionOf(guard, extra.socket).identity.id }),
        },
        webSocketServer,
      ),
    { protocols: ['graphql-transport-ws'] },
  )
  return { ...server, seen }
}

/** Its own client, which counts how often it is asked for a credential. */
function open(url: string, token: () => string) {
  const stopped = deferred()
  const closed: number[] = []
  let asked = 0
  const client = createClient({
    url,
    webSocketImpl: WebSocket,
    lazy: false,
    retryWait: async () => {},
    connectionParams() {
      asked += 1
      return { lang: 'en', token: token() }
    },
    onNonLazyError: () => stopped.resolve(),
    on: { closed: (event) => void closed.push((event as { code: number }).code) },
  })
  onTestFinished(() => void client.dispose())
  return { client, stopped: stopped.promise, closed, asked: () => asked }
}

async function me(client: Client): Promise<unknown> {
  for await (const { data } of client.iterate({ query: '{ me }' })) return data
  return undefined
}

describe('the client of graphql-ws, with its credential in connection_init', () => {
  it('is accepted; onConnect sees its other parameters alone', async () => {
    const { url, token, seen, told } = await start()
    const { client } = open(url, token)
    expect(await me(client)).toEqual({ me: 'ada' })
    expect(seen).toEqual([{ lang: 'en' }])
    expect(told).toEqual(['accepted'])
  })

  it('is refused, and stops', async () => {
    const { url, seen, told } = await start()
    const { stopped, closed, asked } = open(url, () => 'bad')
    await stopped
    expect(closed).toEqual([4401])
    expect(asked()).toBe(1)
    expect(seen).toEqual([])
    expect(told).toEqual(['credential-unknown'])
  })

  it('is renewed over HTTP, and nothing of it is seen', async () => {
    const { url, token, seen, told, clock, renew } = await start()
    const { client, closed } = open(url, token)
    await me(client)
    clock.advance(50_000)
    expect(await renew()).toBe(200)
    clock.advance(50_000)
    expect(await me(client)).toEqual({ me: 'ada' })
    expect(told).toEqual(['accepted', 'renewed'])
    expect(closed).toEqual([])
    expect(seen).toHaveLength(1)
  })

  it('comes again with another credential when its own has ended', async () => {
    const server: Speaking = await start()
    const { client, closed, asked } = open(server.url, server.token)
    await me(client)
    const again = server.next('accepted')
    server.expire()
    await again
    expect(await me(client)).toEqual({ me: 'ada' })
    expect(closed).toEqual([4403])
    expect(asked()).toBe(2)
    expect(server.told).toEqual(['accepted', 'expired', 'accepted'])
  })

  it('stops when it is revoked', async () => {
    const { url, token, guard, told } = await start()
    const { client, stopped, closed, asked } = open(url, token)
    await me(client)
    await guard.revoke({ user: 'ada' })
    await stopped
    expect(closed).toEqual([4401])
    expect(asked()).toBe(1)
    expect(told).toEqual(['accepted', 'revoked'])
  })
})
