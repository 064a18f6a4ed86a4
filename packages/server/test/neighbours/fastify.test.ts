import websocket from '@fastify/websocket'
import { fastify } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Client } from '../support/client.js'
import { answerTo, beside, expectGuarded, expectTheirs, greet, orders } from './beside.js'

describe('@fastify/websocket, which answers every upgrade', () => {
  it.each(orders)('registered %s the guard, keeps its routes and its 404', async (order) => {
    const app = fastify()
    onTestFinished(() => app.close())
    const register = async () => {
      await app.register(websocket)
      await app.register(async (routes) => {
        routes.get('/theirs', { websocket: true }, greet)
      })
      await app.ready()
    }
    const { port, url } = await beside(order, register, { server: app.server })
    await expectGuarded(port)
    await expectTheirs(`${url}/theirs`)
    expect(JSON.parse((await answerTo(port, '/none')).body)).toMatchObject({ error: 'Not Found', statusCode: 404 })
  })

  it('keeps the path on all addresses of localhost', async () => {
    const app = fastify()
    onTestFinished(() => app.close())
    await app.register(websocket)
    const listen = () => app.listen({ host: 'localhost', port: 0 })
    await beside('after', listen, { server: app.server })
    for (const at of app.addresses()) {
      if (typeof at === 'string') continue
      const { address, port, family } = at
      const host = family === 'IPv6' ? `[${address}]` : address
      const client = await Client.open(`ws://${host}:${port}/ws`, { headers: { Authorization: 'Bearer good-ada' } })
      expect(await client.text()).toBe('hello ada')
    }
  })
})
