import { createGuard, firstMessage, header, ticket } from '@sallyport/server'
import { RefusedError, testClock, testServer } from '@sallyport/server/testing'
import { describe, expect, it } from 'vitest'
import { verifyGood } from '../../support/guard.js'

function setUp() {
  const clock = testClock()
  const guard = createGuard({
    clock,
    accept: [ticket(), header({ verify: verifyGood }), firstMessage({ verify: verifyGood })],
  })
  const server = testServer(
    guard,
    (socket, { identity }) => {
      socket.send(`hello ${identity.id}`)
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    },
    { clock },
  )
  return { clock, guard, server }
}

const authorization = { Authorization: 'Bearer good-ada' }

describe('testServer', () => {
  it('connects, talks and refuses without a network', async () => {
    const { server } = setUp()
    const client = await server.connect({ headers: authorization })
    expect(await client.receive()).toBe('hello ada')
    client.send('ping')
    expect(await client.receive()).toBe('ping')
    expect(client.connection?.identity.id).toBe('ada')
    const refused = server.connect({ headers: { Authorization: 'Bearer bad' } })
    await expect(refused).rejects.toThrow(RefusedError)
    await expect(refused).rejects.toMatchObject({ status: 401 })
  })

  it('trades a credential for a ticket', async () => {
    const { server } = setUp()
    const response = await server.fetch('/ws/ticket', { method: 'POST', headers: authorization })
    const issued = (await response.json()) as { ticket: string }
    const client = await server.connect({ query: `ticket=${issued.ticket}` })
    expect(await client.receive()).toBe('hello ada')
  })

  it('lets a credential expire at once', async () => {
    const { server, clock } = setUp()
    const client = await server.connect({ headers: authorization })
    expect(await client.receive()).toBe('hello ada')
    client.expireNow()
    expect(await client.closed).toEqual({ code: 4019, reason: 'Credential expired' })
    expect(clock.pending).toBe(0)
  })

  it('revokes a session at once', async () => {
    const { server, guard } = setUp()
    const client = await server.connect({ headers: authorization })
    await client.revokeNow()
    expect(await client.closed).toEqual({ code: 4010, reason: 'Revoked' })
    expect(guard.connections.size).toBe(0)
  })

  it('drops the network', async () => {
    const { server, guard } = setUp()
    const client = await server.connect({ headers: authorization })
    const gone = new Promise((resolve) => guard.subscribe(({ type }) => type === 'closed' && resolve(type)))
    client.dropNetwork()
    expect(await client.closed).toMatchObject({ code: 1006 })
    await gone
    expect(guard.connections.size).toBe(0)
  })
})
