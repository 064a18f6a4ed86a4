import { memoryStore, type RevocationTarget } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { live } from '../support/live.js'

/** What an application without types may hand over. */
const untyped = (target: unknown) => target as RevocationTarget

const fail = (): never => {
  throw new Error('no')
}

/** Two people, each with two connections. */
async function start() {
  const set = live()
  for (const id of ['ada', 'eve']) {
    for (const session of ['s1', 's2']) {
      await set.connect({ id, issuer: 'i1', session: `${session}-${id}`, issuedAt: set.clock.now() })
    }
  }
  const left = () => [...set.guard.connections].map(({ session }) => session)
  return { ...set, left }
}

const everybody = ['s1-ada', 's2-ada', 's1-eve', 's2-eve']

describe('F21 a target that names nobody exactly is an error, and logs nobody out', () => {
  it.each<[unknown, RegExp, RevocationTarget]>([
    [{ user: 42 }, /user is a number; give a string/, { user: '42' }],
    [{ user: null }, /user is null/, { user: 'nobody' }],
    [{ user: undefined }, /user is undefined/, { user: 'nobody' }],
    [{ user: '' }, /user is an empty string/, { user: 'nobody' }],
    [{ user: ['ada'] }, /user is an array/, { user: 'nobody' }],
    [{ session: undefined }, /session is undefined/, { session: 'none' }],
    [{ session: 7 }, /session is a number/, { session: '7' }],
    [{ token: {} }, /token is an object/, { token: 'none' }],
    [{ connection: undefined }, /connection is undefined/, { connection: 'none' }],
    [{ issuedBefore: '2026-01-01' }, /issuedBefore is a string; give a time in milliseconds/, { issuedBefore: 0 }],
    [{ issuedBefore: new Date(0) }, /issuedBefore is an object/, { issuedBefore: 0 }],
    [{ issuedBefore: Number.NaN }, /issuedBefore is a number that is not finite/, { issuedBefore: 0 }],
    [{ user: 'nobody', issuedBefore: Number.POSITIVE_INFINITY }, /issuedBefore is a number that/, { issuedBefore: 0 }],
    [{ issuedBefore: 8.64e15 + 1 }, /issuedBefore is a number; give a time in milliseconds/, { issuedBefore: 0 }],
    [{ issuedBefore: -1e300 }, /issuedBefore is a number; give a time in milliseconds/, { issuedBefore: 0 }],
    [{ user: new String('ada') }, /user is an object/, { user: 'nobody' }],
    [{ user: () => 'ada' }, /user is a function/, { user: 'nobody' }],
    [Object.create({ user: 'ada' }), /has nothing/, { user: 'nobody' }],
    [new Map([['user', 'ada']]), /has nothing/, { user: 'nobody' }],
    [() => 'all', /the target is a function/, { user: 'nobody' }],
    [{ user: 'nobody', issuer: undefined }, /issuer is undefined/, { user: 'nobody', issuer: 'i1' }],
    [{ user: 'nobody', tenant: null }, /tenant is null/, { user: 'nobody', tenant: 'n1' }],
    [{ userId: 'ada' }, /has no userId; give 'all', or an object with one of user, session/, { user: 'nobody' }],
    [{ user: 'nobody', device: 'd1' }, /has no device/, { user: 'nobody' }],
    [{ constructor: 'x' }, /has no constructor/, { user: 'nobody' }],
    [{ user: 'nobody', session: 'none' }, /has user and session; give/, { session: 'none' }],
    [{ session: 'none', token: 'none' }, /has session and token/, { token: 'none' }],
    [{ session: 'none', issuer: 'i1' }, /has session and issuer/, { user: 'nobody', issuer: 'i1' }],
    [{ connection: 'none', issuedBefore: 0 }, /has connection and issuedBefore/, { connection: 'none' }],
    [{ issuer: 'i1' }, /has issuer; give/, { user: 'nobody', issuer: 'i1' }],
    [{}, /has nothing/, { user: 'nobody' }],
    [[], /has nothing/, { user: 'nobody' }],
    [['user', 'ada'], /has no 0/, { user: 'nobody' }],
    [undefined, /the target is undefined/, { user: 'nobody' }],
    [null, /the target is null/, { user: 'nobody' }],
    [42, /the target is a number/, { user: 'nobody' }],
    [true, /the target is a boolean/, { user: 'nobody' }],
    ['', /the target is an empty string/, { user: 'nobody' }],
    ['everybody', /the target is a string/, { user: 'nobody' }],
  ])('F21 %j', async (target, message, control) => {
    const { guard, left, connect, clock } = await start()
    const revoking = guard.revoke(untyped(target))
    await expect(revoking).rejects.toThrow(TypeError)
    await expect(revoking).rejects.toThrow(message)
    expect(left()).toEqual(everybody)
    // Nor is anybody refused from then on.
    await connect({ id: 'bob', issuedAt: clock.now() })
    expect(await guard.revoke(control)).toMatchObject({ closed: 0, confirmed: 1 })
  })

  it.each<[string, () => object]>([
    ['a getter that throws', () => Object.defineProperty({}, 'user', { enumerable: true, get: fail })],
    ['a proxy that throws', () => new Proxy({}, { ownKeys: fail })],
  ])('F21 nor is anybody by %s', async (_, make) => {
    const { guard, left } = await start()
    await expect(guard.revoke(untyped(make()))).rejects.toThrow('no')
    expect(left()).toEqual(everybody)
    expect(await guard.revoke(untyped(new Proxy({ user: 'ada' }, {})))).toMatchObject({ closed: 2 })
  })

  it('F21 and it is named once, however often it is read', async () => {
    const { guard, left } = await start()
    const names = ['ada', 'eve']
    const target = Object.defineProperty({}, 'user', { enumerable: true, get: () => names.shift() })
    expect(await guard.revoke(untyped(target))).toMatchObject({ closed: 2 })
    expect(left()).toEqual(['s1-eve', 's2-eve'])
  })

  it('F21 nor does it say what came', async () => {
    const { guard } = live()
    await expect(guard.revoke(untyped({ user: ['secret'] }))).rejects.not.toThrow(/secret/)
  })

  it('F21 exactly one that is named ends exactly that', async () => {
    const { guard, left } = await start()
    expect(await guard.revoke({ session: 's1-ada' })).toMatchObject({ closed: 1 })
    expect(left()).toEqual(everybody.slice(1))
    expect(await guard.revoke({ user: 'eve', issuer: 'i1', issuedBefore: Date.now() })).toMatchObject({ closed: 2 })
    expect(left()).toEqual(['s2-ada'])
    expect(await guard.revoke('all')).toMatchObject({ closed: 1 })
  })

  it('F21 whoever was named stays logged out, whatever becomes of the object', async () => {
    const { guard, connect, clock } = live()
    const target = { user: 'ada' }
    await guard.revoke(target)
    target.user = 'eve'
    await connect({ id: 'eve', issuedAt: clock.now() })
    await expect(connect({ id: 'ada', issuedAt: clock.now() })).rejects.toMatchObject({ status: 401 })
  })

  it('F21 nor is a reason anything but a text', async () => {
    const { guard, left } = await start()
    await expect(guard.revoke('all', 7 as unknown as string)).rejects.toThrow(/the reason is a number/)
    expect(left()).toEqual(everybody)
    expect(await guard.revoke('all', 'left the company')).toMatchObject({ closed: 4 })
  })

  it.each<[unknown]>([[undefined], ['no such connection']])(
    'F21 nor is the connection that a store says was replaced: %j',
    async (id) => {
      const { guard, connect, reasons } = live({
        connectionsPerIdentity: { max: 1, whenFull: 'replace' },
        store: (clock) => {
          const memory = memoryStore({ clock })
          let replaced: unknown[] = []
          return {
            ...memory,
            async acquire() {
              const answer = { acquired: true, replaced: replaced as string[] }
              replaced = [id]
              return answer
            },
          }
        },
      })
      await connect({ id: 'eve' })
      await connect({ id: 'ada' })
      expect(reasons()).toEqual([])
      expect(guard.connections.size).toBe(2)
    },
  )
})
