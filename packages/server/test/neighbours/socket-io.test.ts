import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Server } from 'socket.io'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Client } from '../support/client.js'
import { verifyGood } from '../support/guard.js'
import { held } from '../support/held.js'
import { answerTo, beside, expectGuarded, orders, upgradeTo } from './beside.js'

const open = /^0\{"sid":/

function attach(options: Partial<ConstructorParameters<typeof Server>[1]> = {}) {
  return (server: ConstructorParameters<typeof Server>[0]) => {
    const io = new Server(server, options)
    onTestFinished(() => io.close())
  }
}

describe('Socket.IO, which ends every upgrade that is not its own after a second', () => {
  it.each(orders)('attached %s the guard, keeps its sockets', async (order) => {
    const { port, url } = await beside(order, attach({ destroyUpgradeTimeout: 1 }))
    await expectGuarded(port)
    const client = await Client.open(`${url}/socket.io/?EIO=4&transport=websocket`)
    expect(await client.text()).toMatch(open)
    expect((await answerTo(port, '/none')).text).toBe('')
    await client.close()
  })

  it.each(orders)('attached %s the guard, ends no socket whose verifier takes its time', async (order) => {
    const { verify, asked, release } = held(verifyGood)
    const { port, url } = await beside(order, attach({ destroyUpgradeTimeout: 1 }), { verify })
    const slow = Client.open(`${url}/ws`, { headers: { Authorization: 'Bearer good-ada' } })
    await asked
    // By the time that a foreign one has been ended, ours would have been.
    expect((await answerTo(port, '/none')).text).toBe('')
    release()
    expect(await (await slow).text()).toBe('hello ada')
  })

  it.each(orders)('attached %s the guard, keeps clients that poll for longer than a head may take', async (order) => {
    const { port, clock, server } = await beside(order, attach())
    const connected = once(server, 'connection')
    const polling = `http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`
    const handshake = await fetch(polling)
    const { sid } = JSON.parse((await handshake.text()).slice(1)) as { sid: string }
    const [socket] = (await connected) as [Socket]
    // It waits at the server until there is something for it.
    const abort = new AbortController()
    const seen = once(server, 'request')
    const poll = fetch(`${polling}&sid=${sid}`, { signal: abort.signal })
    await seen
    clock.advance(60_000)
    expect(socket.writableEnded).toBe(false)
    const post = await fetch(`${polling}&sid=${sid}`, { method: 'POST', body: '40' })
    expect([post.status, (await poll).status]).toEqual([200, 200])
    abort.abort()
  })

  it('that leaves foreign upgrades alone leaves none open', async () => {
    const { port, server, clock } = await beside('before', attach({ destroyUpgrade: false }))
    const client = await upgradeTo(server, port, '/none')
    clock.advance(1_000)
    expect((await client.toEnd()).status).toBe(404)
  })
})
