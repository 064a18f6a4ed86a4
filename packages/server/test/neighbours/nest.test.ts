import { WsAdapter } from '@nestjs/platform-ws'
import { describe, expect, it, onTestFinished } from 'vitest'
import { answerTo, beside, expectGuarded, expectTheirs, greet, orders } from './beside.js'

describe("Nest's WsAdapter, which destroys every upgrade that is not its own", () => {
  it.each(orders)('that comes %s the guard keeps its gateways', async (order) => {
    const { port, url } = await beside(order, (server) => {
      const adapter = new WsAdapter(server)
      const gateway = adapter.create(0, { path: '/theirs' })
      adapter.bindClientConnect(gateway, greet)
      onTestFinished(() => adapter.close(gateway))
    })
    await expectGuarded(port)
    await expectTheirs(`${url}/theirs`)
    expect((await answerTo(port, '/none')).text).toBe('')
  })
})
