import { createServer, type Server } from 'node:http'
import { createAdaptorServer, upgradeWebSocket } from '@hono/node-server'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { answerTo, beside, expectGuarded, expectTheirs, orders, upgradeTo } from './beside.js'

/** Puts an application on a server: `/theirs` opens, `/refused` is refused by middleware. */
function attach(server: Server): void {
  const app = new Hono()
  app.use('/refused', (c) => Promise.resolve(c.text('no', 401)))
  app.get(
    '/theirs',
    upgradeWebSocket(() => ({ onOpen: (_, socket) => socket.send('hello') })),
  )
  createAdaptorServer({
    fetch: app.fetch,
    // Hono's own type of a ws server, which that of ws does not fit.
    websocket: { server: new WebSocketServer({ noServer: true }) as never },
    createServer: Object.assign((_: object, listener: () => void) => server.on('request', listener), createServer),
  })
}

describe('Hono, which refuses only while it is the only one to listen', () => {
  it.each(orders)('that comes %s the guard keeps its routes and its refusals', async (order) => {
    const { port, url } = await beside(order, attach)
    await expectGuarded(port)
    await expectTheirs(`${url}/theirs`)
    expect((await answerTo(port, '/refused')).status).toBe(401)
    expect((await answerTo(port, '/none')).status).toBe(404)
  })

  it('beside a third one leaves nothing open', async () => {
    const { port, server, clock } = await beside('after', (server) => {
      attach(server)
      server.on('upgrade', () => {})
    })
    const client = await upgradeTo(server, port, '/none')
    clock.advance(10_000)
    expect((await client.toEnd()).status).toBe(404)
  })
})
