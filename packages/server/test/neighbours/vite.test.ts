import { createServer } from 'vite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Client } from '../support/client.js'
import { beside, expectGuarded, orders, upgradeTo } from './beside.js'

describe('the hot reload of Vite, which only listens for errors of what is not its own', () => {
  it.each(orders)('that comes %s the guard keeps its socket, and nothing stays open', async (order) => {
    let token = ''
    const { port, url, server, clock } = await beside(order, async (server) => {
      const vite = await createServer({
        configFile: false,
        logLevel: 'silent',
        appType: 'custom',
        server: { middlewareMode: true, hmr: { server } },
      })
      onTestFinished(() => vite.close())
      token = vite.config.webSocketToken
    })
    await expectGuarded(port)
    const reload = await Client.open(`${url}/?token=${token}`, { protocols: ['vite-hmr'] })
    expect(JSON.parse(await reload.text())).toEqual({ type: 'connected' })
    await reload.close()
    const client = await upgradeTo(server, port, '/none')
    clock.advance(10_000)
    expect((await client.toEnd()).status).toBe(404)
  })
})
