import { trpc } from '@sallyport/server'
import { connectionOf } from '@sallyport/server/ws'
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client'
import { initTRPC } from '@trpc/server'
import { applyWSSHandler, type CreateWSSContextFnOptions } from '@trpc/server/adapters/ws'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { deferred } from '../support/deferred.js'
import { type Speaking, speaking } from './speaking.js'

const t = initTRPC.context<{ user: string }>().create()
const router = t.router({ me: t.procedure.query(({ ctx }) => ctx.user) })

/** A server of tRPC, and what its `createContext` gets to see. */
async function start() {
  const seen: unknown[] = []
  const server = await speaking(trpc, (webSocketServer, guard) => {
    const createContext = ({ res, info }: CreateWSSContextFnOptions) => {
      seen.push(info.connectionParams)
      return { user: connectionOf(guard, res).identity.id }
    }
    applyWSSHandler({ wss: webSocketServer, router, createContext })
  })
  return { ...server, seen }
}

/** Its own client. It reads no close code, so that a line of the application has to stop it. */
function open(url: string, token: () => string, { stops = true } = {}) {
  const stopped = deferred()
  const closed: (number | undefined)[] = []
  let asked = 0
  const socket = createWSClient({
    url,
    WebSocket: WebSocket as never,
    retryDelayMs: () => 0,
    connectionParams() {
      asked += 1
      return { lang: 'en', token: token() }
    },
    onClose(cause) {
      closed.push(cause?.code)
      if (!stops || ![4001, 4003, 4009, 4010].includes(cause?.code ?? 0)) return
      socket.close()
      stopped.resolve()
    },
  })
  onTestFinished(async () => socket.close())
  const client = createTRPCClient<typeof router>({ links: [wsLink({ client: socket })] })
  return { client, stopped: stopped.promise, closed, asked: () => asked }
}

describe('the client of tRPC, with its credential in connectionParams', () => {
  it('is accepted; createContext sees its other parameters alone', async () => {
    const { url, token, seen, told } = await start()
    const { client } = open(url, token)
    expect(await client.me.query()).toBe('ada')
    expect(seen).toEqual([{ lang: 'en' }])
    expect(told).toEqual(['accepted'])
  })

  it('is refused, and stops by a line of the application', async () => {
    const { url, seen, told } = await start()
    const { stopped, closed, asked } = open(url, () => 'bad')
    await stopped
    expect(closed).toEqual([4001])
    expect(asked()).toBe(1)
    expect(seen).toEqual([])
    expect(told).toEqual(['credential-unknown'])
  })

  it('comes again without that line', async () => {
    const { url, told, next } = await start()
    const { asked } = open(url, () => 'bad', { stops: false })
    await next('credential-unknown')
    await next('credential-unknown')
    expect(asked()).toBeGreaterThan(1)
    expect(told).not.toContain('accepted')
  })

  it('is renewed over HTTP', async () => {
    const { url, token, told, clock, renew } = await start()
    const { client, closed } = open(url, token)
    await client.me.query()
    clock.advance(50_000)
    expect(await renew()).toBe(200)
    clock.advance(50_000)
    expect(await client.me.query()).toBe('ada')
    expect(told).toEqual(['accepted', 'renewed'])
    expect(closed).toEqual([])
  })

  it('comes again with another credential when its own has ended', async () => {
    const server: Speaking = await start()
    const { client, closed, asked } = open(server.url, server.token)
    await client.me.query()
    const again = server.next('accepted')
    server.expire()
    await again
    expect(await client.me.query()).toBe('ada')
    expect(closed).toEqual([4019])
    expect(asked()).toBe(2)
    expect(server.told).toEqual(['accepted', 'expired', 'accepted'])
  })

  it('stops by the same line when it is revoked', async () => {
    const { url, token, guard, told } = await start()
    const { client, stopped, closed, asked } = open(url, token)
    await client.me.query()
    await guard.revoke({ user: 'ada' })
    await stopped
    expect(closed).toEqual([4010])
    expect(asked()).toBe(1)
    expect(told).toEqual(['accepted', 'revoked'])
  })
})
