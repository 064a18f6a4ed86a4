import { createServer, type Server } from 'node:http'
import { plugin as crossws4 } from 'crossws/server'
import crossws3 from 'crossws3/adapters/node'
import { defineWebSocketHandler, H3, serve } from 'h3'
import { createApp, defineWebSocketHandler as defineWebSocketHandler1 } from 'h3v1'
import { describe, expect, it } from 'vitest'
import { answerTo, beside, expectGuarded, expectTheirs, orders } from './beside.js'

const hooks = { open: (peer: { send(text: string): unknown }) => void peer.send('hello') }

describe('crossws, which answers every upgrade', () => {
  it.each(orders)('of 0.4, that comes %s the guard, keeps its routes and its 404', async (order) => {
    const app = new H3().all('/theirs', defineWebSocketHandler(hooks))
    const theirs = serve(app, { port: 0, hostname: '127.0.0.1', manual: true, silent: true, plugins: [crossws4({})] })
    const attach = async () => {
      theirs.serve()
      await theirs.ready()
    }
    const { port, url } = await beside(order, attach, { server: theirs.node?.server as Server })
    await expectGuarded(port)
    await expectTheirs(`${url}/theirs`)
    expect((await answerTo(port, '/none')).status).toBe(404)
  })

  it.each(orders)('of 0.3, that comes %s the guard, keeps its routes', async (order) => {
    const app = createApp().use('/theirs', defineWebSocketHandler1(hooks))
    const { handleUpgrade } = crossws3(app.websocket as never)
    const { port, url } = await beside(order, (server) => server.on('upgrade', handleUpgrade), {
      server: createServer(),
    })
    await expectGuarded(port)
    await expectTheirs(`${url}/theirs`)
  })
})
