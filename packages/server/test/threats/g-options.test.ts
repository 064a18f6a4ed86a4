import { createServer } from 'node:http'
import {
  type Clock,
  ConfigurationError,
  cookie,
  createGuard,
  createRoutes,
  header,
  memoryStore,
  query,
  type Store,
  session,
  ticket,
} from '@sallyport/server'
import { guardBun } from '@sallyport/server/bun'
import { clusterStore } from '@sallyport/server/cluster'
import { guardDeno } from '@sallyport/server/deno'
import { postgresStore } from '@sallyport/server/postgres'
import { redisStore } from '@sallyport/server/redis'
import { testClock } from '@sallyport/server/testing'
import { guardServer } from '@sallyport/server/ws'
import { describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { guardedObject } from '../../src/adapters/durable-objects/guarded-object.js'
import { guardWorkers } from '../../src/adapters/workers/guard-workers.js'
import { kindOf } from '../../src/support/kind-of.js'
import { verifyGood } from '../support/guard.js'

const things = [undefined, null, 7, true, 'x', [], {}, () => {}]

/** Whose option it is, which, what makes a thing of it, and one that is right. Of the kinds that fit, nothing is asked here. */
type Row = readonly [owner: string, option: string, make: (thing: never) => unknown, good: unknown, ...fits: string[]]

const secret = 's'.repeat(32)
const client = { call: () => new Promise(() => {}) }
const pool = { connect: () => new Promise<never>(() => {}), on() {} }
const clock = testClock()
const methods = [header({ verify: verifyGood })]
const guard = createGuard({ accept: methods })
const noServer = () => new WebSocketServer({ noServer: true })

const guardOf = (option: string, more: object = {}) => {
  return (thing: unknown) => createGuard({ accept: methods, ...more, [option]: thing })
}
const optional = 'undefined'

const ofGuard: Row[] = [
  ['createGuard', 'options', (options) => createGuard(options), { accept: methods }, 'an object'],
  ['createGuard', 'accept', guardOf('accept'), methods, 'an array'],
  ['createGuard', 'accept[0]', (method) => createGuard({ accept: [method] }), methods[0]],
  [
    'createGuard',
    'accept[0].verify',
    (verify) => createGuard({ accept: [header({ verify })] }),
    verifyGood,
    'a function',
  ],
  [
    'createGuard',
    'accept[0].options',
    (options) => createGuard({ accept: [{ ...ticket(), options }] }),
    {},
    'an object',
  ],
  ['createGuard', 'origins', guardOf('origins'), ['https://example.com'], optional, 'a function', 'an array'],
  ['createGuard', 'origins[0]', (origin) => createGuard({ accept: methods, origins: [origin] }), 'app://.', 'a string'],
  ['createGuard', 'protocols', guardOf('protocols'), ['app.v1'], optional, 'an array'],
  ['createGuard', 'protocols[0]', (name) => createGuard({ accept: methods, protocols: [name] }), 'app.v1', 'a string'],
  ['createGuard', 'trustedProxies', guardOf('trustedProxies'), ['10.0.0.0/8'], optional, 'an array'],
  [
    'createGuard',
    'trustedProxies[0]',
    (p) => createGuard({ accept: methods, trustedProxies: [p] }),
    'unix',
    'a string',
  ],
  ['createGuard', 'life', guardOf('life'), { maxAge: 1 }, optional, 'an object'],
  ['createGuard', 'limits', guardOf('limits'), { pendingSockets: 1 }, optional, 'an object'],
  [
    'createGuard',
    'connectionsPerIdentity',
    guardOf('connectionsPerIdentity'),
    { max: 1, whenFull: 'refuse' },
    optional,
    'an object',
  ],
  ['createGuard', 'store', guardOf('store'), memoryStore(), optional],
  ['createGuard', 'clock', guardOf('clock'), clock, optional],
  ['createGuard', 'random', guardOf('random'), (bytes: number) => new Uint8Array(bytes), optional, 'a function'],
  ['session', 'find', (find) => session(find), () => null, 'a function'],
  ['subscribe', 'listener', (listener) => guard.subscribe(listener), () => {}, 'a function'],
]

const ofRoutes: Row[] = [
  ['createRoutes', 'guard', (any) => createRoutes(any, { path: '/ws' }), guard],
  ['createRoutes', 'options', (options) => createRoutes(guard, options), { path: '/ws' }, 'an object'],
  ['createRoutes', 'path', (path) => createRoutes(guard, { path }), '/ws', 'a string', 'a function'],
  [
    'createRoutes',
    'logoutToken',
    (logoutToken) => createRoutes(guard, { path: '/ws', logoutToken }),
    () => ({ rejected: 'credential-unknown' }),
    optional,
    'a function',
  ],
]

const ofStores: Row[] = [
  ['memoryStore', 'options', (options) => memoryStore(options), {}, optional, 'an object'],
  ['memoryStore', 'clock', (clock) => memoryStore({ clock }), clock, optional],
  ['redisStore', 'options', (options) => redisStore(options), { client, secret }, 'an object'],
  ['redisStore', 'client', (client) => redisStore({ client, secret }), client],
  ['redisStore', 'clock', (clock) => redisStore({ client, secret, clock }), clock, optional],
  ['postgresStore', 'options', (options) => postgresStore(options), { pool, secret }, 'an object'],
  ['postgresStore', 'pool', (pool) => postgresStore({ pool, secret }), pool],
  ['clusterStore', 'options', (options) => clusterStore(options), {}, optional, 'an object'],
  ['clusterStore', 'folder', (folder) => clusterStore({ folder }), undefined, optional, 'a string'],
  ['clusterStore', 'clock', (clock) => clusterStore({ clock }), clock, optional],
]

/** The options that all adapters have. `adapt` makes a guarded route, in the name of `owner`. */
const ofRoute = (owner: string, adapt: (guard: never, options: never, handler: never) => unknown, handler: unknown) => {
  const given = (option: string) => (thing: unknown) =>
    adapt(guard as never, { path: '/ws', [option]: thing } as never, handler as never)
  const rows: Row[] = [
    [owner, 'guard', (any) => adapt(any, { path: '/ws' } as never, handler as never), guard],
    [owner, 'options', (options) => adapt(guard as never, options, handler as never), { path: '/ws' }, 'an object'],
    [owner, 'path', given('path'), '/ws', 'a string', 'a function'],
    [owner, 'admit', given('admit'), () => true, optional, 'a function'],
    [owner, 'authorize', given('authorize'), () => true, optional, 'a function'],
    [owner, 'dialect', given('dialect'), { closeCodes: {} }, optional, 'an object'],
    [owner, 'dialect.closeCodes', (closeCodes) => given('dialect')({ closeCodes }), {}, 'an object'],
  ]
  return rows
}
const withHandler = (owner: string, adapt: (guard: never, options: never, handler: never) => unknown): Row[] => {
  const path = { path: '/ws' } as never
  const handler: Row = [owner, 'onConnection', (given) => adapt(guard as never, path, given), () => {}, 'a function']
  return [...ofRoute(owner, adapt, () => {}), handler]
}

const ofNode: Row[] = withHandler('guardServer', (guard, options, handler) =>
  // A handler is there where there is no server of ws.
  guardServer(createServer(), guard, options, handler),
).map(([owner, option, make, good, ...fits]) => [
  owner,
  option,
  make,
  good,
  ...fits,
  ...(option === 'onConnection' ? [optional] : []),
])
ofNode.push(
  ['guardServer', 'server', (server) => guardServer(server, guard, { path: '/ws' }, () => {}), createServer()],
  [
    'guardServer',
    'webSocketServer',
    (webSocketServer) => guardServer(createServer(), guard, { path: '/ws', webSocketServer }),
    noServer(),
    optional,
  ],
)

const ofBun: Row[] = [
  ...ofRoute('guardBun', guardBun, {}),
  ['guardBun', 'handlers', (handlers) => guardBun(guard, { path: '/ws' }, handlers), {}, 'an object'],
  ['guardBun', 'others', (others) => guardBun(guard, { path: '/ws', others }, {}), {}, optional, 'an object'],
]

class Base {}
const objectOptions = { guard: () => guard, binding: 'ROOM', store: 'SALLYPORT', path: '/ws' } as const
const objectOf = (option: string) => (thing: unknown) =>
  guardedObject(Base as never, { ...objectOptions, [option]: thing })
const ofObjects: Row[] = [
  ['guardedObject', 'Base', (any) => guardedObject(any, objectOptions as never), Base, 'a function'],
  ['guardedObject', 'options', (options) => guardedObject(Base as never, options), objectOptions, 'an object'],
  ['guardedObject', 'guard', objectOf('guard'), objectOptions.guard, 'a function'],
  ['guardedObject', 'binding', objectOf('binding'), 'ROOM', 'a string'],
  ['guardedObject', 'store', objectOf('store'), 'SALLYPORT', 'a string'],
]

describe('G80 an option of another kind is told of at start', () => {
  const rows: Row[] = [
    ...ofGuard,
    ...ofRoutes,
    ...ofStores,
    ...ofNode,
    ...ofBun,
    ...withHandler('guardDeno', guardDeno),
    ...withHandler('guardWorkers', guardWorkers),
    ...ofObjects,
  ]
  for (const [owner, option, make, good, ...fits] of rows) {
    it(`G80 ${owner}: ${option}`, () => {
      expect(() => make(good as never)).not.toThrow()
      const others = things.filter((thing) => !fits.includes(kindOf(thing)))
      expect(others.length).toBeGreaterThan(4)
      for (const thing of others) {
        const said = new RegExp(`^${owner}: (.*) is (.*?); give `)
        let error: unknown
        try {
          make(thing as never)
        } catch (thrown) {
          error = thrown
        }
        expect(error, `${option} is ${kindOf(thing)}`).toMatchObject({
          name: 'ConfigurationError',
          code: 'option-kind',
        })
        const [, name, kind = ''] = said.exec((error as Error).message) ?? []
        expect(name).toBe(option)
        expect(kind.replace(/ without .*\(\)$/, '')).toBe(kindOf(thing))
      }
    })
  }

  it.each<[code: string, good: unknown, bad: unknown, (value: never) => unknown]>([
    ['cookie-name', 'session', 7, (name) => cookie({ name, verify: verifyGood })],
    ['cookie-name', 'session', '', (name) => cookie({ name, verify: verifyGood })],
    ['cookie-name', 'csrf', 7, (boundCookie) => createGuard({ accept: [ticket({ boundCookie }), ...methods] })],
    ['cookie-name', 'csrf', '', (boundCookie) => createGuard({ accept: [ticket({ boundCookie }), ...methods] })],
    ['parameter-name', 'key', 7, (parameter) => query({ parameter, verify: verifyGood })],
    ['store-secret', secret, 7, (secret) => redisStore({ client, secret })],
    ['store-secret', secret, null, (secret) => redisStore({ client, secret })],
    ['store-secret', secret, {}, (secret) => postgresStore({ pool, secret })],
    ['store-secret', secret, undefined, (one) => postgresStore({ pool, secret: [secret, one] })],
    ['store-prefix', 'app', 7, (prefix) => redisStore({ client, secret, prefix })],
    ['store-schema', 'app', ['app'], (schema) => postgresStore({ pool, secret, schema })],
    ['option-number', 5_000, null, (verifyTimeout) => createGuard({ accept: methods, verifyTimeout })],
  ])('G80 what has rules of its own: %s', (code, good, bad, make) => {
    expect(() => make(good as never)).not.toThrow()
    expect(() => make(bad as never)).toThrow(expect.objectContaining({ code }))
  })

  it.each<[string, (count: number) => unknown]>([
    ['fewer bytes', (count) => new Uint8Array(count - 1)],
    ['no byte', () => new Uint8Array(0)],
    ['a text', (count) => 'x'.repeat(count)],
    ['a promise', async (count) => new Uint8Array(count)],
    ['nothing', () => undefined],
  ])('G80 a source of random bytes that answers %s makes no ticket', async (_, random) => {
    const issue = async (random: unknown) => {
      const guard = createGuard({ accept: [ticket(), ...methods], random: random as never })
      const routes = createRoutes(guard, { path: '/ws' })
      const headers = { Authorization: 'Bearer good-ada' }
      return (await routes.fetch(new Request('http://test/ws/ticket', { method: 'POST', headers })))?.status
    }
    expect(await issue((count: number) => new Uint8Array(count))).toBe(201)
    expect(await issue(random)).toBe(500)
  })

  it('G80 nor does a drain begin that has no time', async () => {
    const guard = createGuard({ accept: methods })
    for (const within of [Number.NaN, -1, Number.POSITIVE_INFINITY, '10' as never, null as never]) {
      await expect(guard.drain({ within })).rejects.toThrow(/^drain: within is .*; give a number from 0 to /)
    }
    expect(guard.health.draining).toBe(false)
    await guard.drain({ within: 0 })
    expect(guard.health.draining).toBe(true)
  })
})

describe('G80 nothing has begun where an option cannot work', () => {
  it('G80 a server is as it was', () => {
    const server = createServer()
    const webSocketServer = noServer()
    const begun = () => [server.eventNames(), webSocketServer.options.WebSocket, server.emit]
    const before = begun()
    for (const bad of [
      { path: 'ws?' },
      { path: '/ws', maxBufferedBytes: -1 },
      { path: '/ws', admit: true as never },
      { path: '/ws', dialect: { closeCodes: { expired: 7 } } },
    ]) {
      expect(() => guardServer(server, guard, { webSocketServer, ...bad })).toThrow(ConfigurationError)
      expect(begun()).toEqual(before)
    }
    expect(() => guardServer(server, guard, { path: '/ws' }, 7 as never)).toThrow(ConfigurationError)
    expect(begun()).toEqual(before)
    const giveBack = guardServer(server, guard, { path: '/ws', webSocketServer })
    expect(begun()).not.toEqual(before)
    giveBack()
  })

  it('G80 nobody follows a store, and no timer runs', () => {
    let followed = 0
    let timers = 0
    const counting: Clock = {
      now: clock.now,
      after() {
        timers += 1
        return () => {}
      },
    }
    const store: Store = {
      ...memoryStore(),
      follow(follower) {
        followed += 1
        return memoryStore().follow(follower)
      },
    }
    const make = (more: object) => createGuard({ accept: [ticket(), ...methods], store, clock: counting, ...more })
    for (const bad of [
      { random: 7 },
      { accept: [ticket({ expiresIn: 61 })] },
      { life: { recheck: 1 } },
      { trustedProxies: ['all'] },
    ]) {
      expect(() => make(bad)).toThrow(ConfigurationError)
    }
    expect([followed, timers]).toEqual([0, 0])
    make({})
    expect(followed).toBe(1)
  })
})
