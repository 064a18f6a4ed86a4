import { memoryStore, type Store, UnavailableError } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { liveConnections } from '../../src/connections/of-guard.js'
import { nextTurn } from '../support/deferred.js'
import { type Claims, live, nextEvent } from '../support/live.js'

const down = (): never => {
  throw new UnavailableError('the store is down')
}

/** A guard over a store, parts of which a test replaces. */
const over = (parts: Partial<Store>, options: Parameters<typeof live>[0] = {}) =>
  live({ ...options, store: (clock) => ({ ...memoryStore({ clock }), ...parts }) })

const replace = { connectionsPerIdentity: { max: 1, whenFull: 'replace' } } as const

describe('I80 a store that throws at once is one that rejects', () => {
  it.each<[string, Store['release']]>([
    ['throws', down],
    ['rejects', async () => down()],
    ['answers no promise', (() => undefined) as never],
  ])('I80 whose place is given back: it %s', async (_, release) => {
    const { guard, connect } = over({ release }, replace)
    const client = await connect({ id: 'ada' })
    const closed = nextEvent(guard, 'closed')
    client.socket.close()
    await closed
    expect(guard.connections.size).toBe(0)
    await connect({ id: 'eve' })
    expect([...guard.connections].map(({ identity }) => identity.id)).toEqual(['eve'])
  })

  it.each<[string, Store['count']]>([
    ['throws', down],
    ['rejects', async () => down()],
    ['answers NaN', async () => Number.NaN],
    ['answers nothing', (() => undefined) as never],
  ])('I80 that counts bad credentials: it %s', async (_, count) => {
    const { connect } = over({ count }, { limits: { failedAttempts: 2, verificationBudget: 0 } })
    const from = (credential: Claims | string) => connect(credential, 'header', '192.0.2.7')
    // Each node counts for itself.
    await expect(from('bad-1')).rejects.toMatchObject({ status: 401 })
    await from({ id: 'ada' })
    await expect(from('bad-2')).rejects.toMatchObject({ status: 401 })
    await expect(from({ id: 'ada' })).rejects.toMatchObject({ status: 429 })
  })

  it('I80 that is asked whom a newer connection has replaced', async () => {
    let replaced: string[] = []
    const { guard, connect } = over(
      {
        acquire: async () => ({ acquired: true, replaced }),
        follow: (follower) => ({ ...memoryStore().follow(follower), ask: down }),
      },
      replace,
    )
    replaced = ['a connection of another node']
    await connect({ id: 'ada' })
    expect(guard.connections.size).toBe(1)
  })

  it('I80 that is asked for connections of another node, however often', async () => {
    const { guard, renew } = over({
      follow: (follower) => ({ ...memoryStore().follow(follower), ask: down }),
    })
    for (let times = 0; times < 30; times += 1) {
      expect((await renew('good-e30', { connection: 'elsewhere' })).status).toBe(503)
    }
    expect(liveConnections(guard).size).toBe(0)
  })

  it.each<[string, Partial<Store>]>([
    ['put', { put: down }],
    ['take', { take: down }],
  ])('I80 that should %s a ticket', async (_, parts) => {
    const { server, present } = over(parts)
    const headers = { Authorization: 'Bearer good-e30' }
    const { status } = await server.fetch('/ws/ticket', { method: 'POST', headers })
    expect(status).toBe('put' in parts ? 503 : 201)
    if ('take' in parts) {
      await expect(server.connect(await present('good-e30', 'ticket'))).rejects.toMatchObject({ status: 503 })
    }
  })

  it('I80 that should tell the other nodes of a revocation: it holds here', async () => {
    const { guard, connect } = over({ append: down })
    await connect({ session: 's1' })
    await expect(guard.revoke({ session: 's1' })).rejects.toThrow(UnavailableError)
    expect(guard.connections.size).toBe(0)
  })
})

describe('I83 a store that takes no revocation, and can be read', () => {
  it.each<[string, Store['append']]>([
    ['throws', down],
    ['rejects', async () => down()],
  ])('I83 is asked again at each look, and once: it %s', async (_, append) => {
    let asked = 0
    let look = () => {}
    const { guard } = over({
      append(...entry) {
        asked += 1
        return append(...entry)
      },
      follow(follower) {
        look = () => follower.onLook?.()
        return memoryStore().follow(follower)
      },
    })
    await expect(guard.revoke({ session: 's1' })).rejects.toThrow(UnavailableError)
    for (const times of [2, 3]) {
      look()
      await nextTurn()
      expect(asked).toBe(times)
    }
  })
})
