import { once } from 'node:events'
import { rejected } from '@sallyport/server'
import { connectionOf } from '@sallyport/server/socket-io'
import { describe, expect, it } from 'vitest'
import { credentialOf, verifyClaims } from '../support/claims.js'
import { nextTurn } from '../support/deferred.js'
import { allMethods, origin } from '../support/guard.js'
import { held } from '../support/held.js'
import { ask, RawPolling, type SocketIoOptions, startSocketIo } from '../support/socket-io.js'

const token = credentialOf()
const cookie = { Cookie: `session=${token}`, Origin: origin }
const foreign = 'https://evil.example'
const connect = (auth: object = {}) => `40${JSON.stringify(auth)}`
const say = (text: string) => `42${JSON.stringify(['say', text])}`

/** A client that polls, and is in, by what comes with each request or by a token in `auth`. */
async function polling(headers: Record<string, string>, options: SocketIoOptions = {}, auth: object = {}) {
  const server = await startSocketIo(options)
  const client = await RawPolling.open(server.port, headers)
  expect((await client.post(connect(auth))).status).toBe(200)
  expect((await client.poll()).text).toMatch(/^40\{"sid":/)
  return { ...server, client }
}

describe('the id of a session, which stands in the URL of every poll', () => {
  it('G42 alone, from another page, is all that it takes in Socket.IO as it is', async () => {
    const { client, seen } = await polling(cookie, { unguarded: true })
    const thief = client.thief({ Origin: foreign })
    expect((await thief.post(say('stolen'))).text).toBe('ok')
    expect((await thief.poll()).text).toBe('42["said","echo stolen"]')
    expect(await thief.upgrade()).toBe(101)
    expect(seen).toEqual(['stolen'])
  })

  it.each<[string, Record<string, string>]>([
    ['from another page', { Cookie: cookie.Cookie, Origin: foreign }],
    ['from an image of another page', { Cookie: cookie.Cookie, 'Sec-Fetch-Site': 'cross-site' }],
    ['without the cookie', { Origin: origin }],
    ['with a cookie of somebody else', { Cookie: `session=${credentialOf({ id: 'eve' })}`, Origin: origin }],
    ['with a bad cookie', { Cookie: 'session=bad', Origin: origin }],
    ['with a token of somebody else', { Authorization: `Bearer ${credentialOf({ id: 'eve' })}` }],
  ])('G42 opens nothing %s', async (_, headers) => {
    const { client, seen } = await polling(cookie)
    const thief = client.thief(headers)
    expect([401, 403]).toContain((await thief.post(say('stolen'))).status)
    expect([401, 403]).toContain((await thief.poll()).status)
    expect([401, 403]).toContain(await thief.upgrade())
    expect(seen).toEqual([])
    expect((await client.post(say('mine'))).text).toBe('ok')
    expect((await client.poll()).text).toBe('42["said","echo mine"]')
    expect(await client.upgrade()).toBe(101)
    expect(seen).toEqual(['mine'])
  })

  it('G42 of who came by a token in auth opens nothing at another address', async () => {
    const { client, seen } = await polling(
      { 'X-Forwarded-For': '192.0.2.1' },
      { guard: { trustedProxies: ['127.0.0.1'] } },
      { token },
    )
    const thief = client.thief({ 'X-Forwarded-For': '192.0.2.2' })
    expect((await thief.post(say('stolen'))).status).toBe(401)
    expect((await thief.poll()).status).toBe(401)
    expect(await thief.upgrade()).toBe(401)
    expect((await client.post(say('mine'))).text).toBe('ok')
    expect(seen).toEqual(['mine'])
  })

  it('G42 opens nothing before its client is in either', async () => {
    const { port, guard, sockets } = await startSocketIo()
    const client = await RawPolling.open(port, cookie)
    const eve = credentialOf({ id: 'eve' })
    const thief = client.thief({ Cookie: `session=${eve}`, Origin: origin })
    expect((await thief.post(connect())).status).toBe(403)
    expect((await client.post(connect())).status).toBe(200)
    await client.poll()
    expect(sockets.map((socket) => connectionOf(guard, socket).identity.id)).toEqual(['ada'])
  })
})

describe('a cookie that changes between polls', () => {
  it('G43 renews the connection when it is of the same user', async () => {
    const { client, guard, events } = await polling(cookie)
    const newer = credentialOf({ token: 'newer' })
    expect((await client.post(say('on'), { Cookie: `session=${newer}` })).text).toBe('ok')
    expect([...guard.connections].map(({ token }) => token)).toEqual(['newer'])
    expect(events.map(({ type }) => type)).toEqual(['accepted', 'renewed'])
    // And then it is the one that counts.
    expect((await client.post(say('on'), { Cookie: `session=${newer}` })).text).toBe('ok')
    expect(events).toHaveLength(2)
  })

  it('G43 does not make one user another', async () => {
    const { client, guard, reasons } = await polling(cookie)
    const eve = `session=${credentialOf({ id: 'eve' })}`
    expect((await client.post(say('on'), { Cookie: eve })).status).toBe(403)
    expect(reasons()).toEqual(['identity-changed'])
    expect([...guard.connections].map(({ identity }) => identity.id)).toEqual(['ada'])
  })
})

describe('before the accept', () => {
  it('G44 a client has five seconds, however much it sends', async () => {
    const { port, clock, reasons, guard, httpServer } = await startSocketIo()
    const client = await RawPolling.open(port)
    expect(guard.pending).toBe(1)
    clock.advance(4_999)
    await client.post(connect({ token: 'bad' }))
    expect((await client.poll()).text).toMatch(/^44\{"message":"Authentication failed"/)
    const asked = once(httpServer, 'request')
    const poll = client.poll()
    await asked
    await nextTurn()
    clock.advance(1)
    expect((await poll).text).toBe('1')
    expect(reasons()).toEqual(['credential-unknown', 'message-late'])
    expect(guard.pending).toBe(0)
    expect((await client.post(connect({ token }))).status).toBe(400)
  })

  it('G44 a client whose time ends while it is decided is refused then, and ended', async () => {
    const { verify, asked, release } = held(verifyClaims)
    const { port, clock, reasons, guard } = await startSocketIo({
      guard: { accept: allMethods(verify).accept },
      options: { connectTimeout: 1_000 },
    })
    const [client, good] = [await RawPolling.open(port), await RawPolling.open(port)]
    await client.post(connect({ token: 'bad' }))
    await good.post(connect({ token }))
    await asked
    clock.advance(1_000)
    expect(reasons()).toEqual([])
    release()
    expect((await client.poll()).text).toMatch(/^44\{"message":"Authentication failed"/)
    expect(reasons()).toEqual(['credential-unknown', 'message-late'])
    expect((await good.poll()).text).toMatch(/^40/)
    expect([guard.pending, guard.connections.size]).toEqual([0, 1])
  })

  it('G44 a client that is being decided makes no room', async () => {
    const { verify, asked, release } = held(verifyClaims)
    const limits = { pendingSockets: 1, pendingPerAddress: 1, failedAttempts: 1_000 }
    const { port, reasons } = await startSocketIo({ guard: { limits, accept: allMethods(verify).accept } })
    const client = await RawPolling.open(port)
    await client.post(connect({ token }))
    await asked
    await expect(RawPolling.open(port)).rejects.toThrow('429')
    release()
    expect((await client.poll()).text).toMatch(/^40/)
    expect(reasons()).toEqual(['pending'])
    await RawPolling.open(port)
  })

  it('G44 a client that leaves while it is decided leaves nothing behind', async () => {
    const { verify, asked, release } = held(verifyClaims)
    const { port, guard, events } = await startSocketIo({
      guard: { accept: allMethods(verify).accept, connectionsPerIdentity: { max: 1, whenFull: 'refuse' } },
    })
    const client = await RawPolling.open(port)
    await client.post(connect({ token }))
    await asked
    await client.post('1')
    expect(guard.pending).toBe(0)
    release()
    const other = await RawPolling.open(port)
    await other.post(connect({ token }))
    expect((await other.poll()).text).toMatch(/^40/)
    expect(events.map(({ type }) => type)).toEqual(['accepted'])
  })

  it('G44 takes one place, and who only waits makes room', async () => {
    const limits = { pendingSockets: 2, pendingPerAddress: 2, failedAttempts: 1_000 }
    const { port, guard, clock, reasons } = await startSocketIo({ guard: { limits } })
    const first = await RawPolling.open(port)
    const second = await RawPolling.open(port)
    await RawPolling.open(port)
    expect([guard.pending, reasons()]).toEqual([2, ['pending']])
    expect((await second.post(connect({ token }))).status).toBe(200)
    expect((await second.poll()).text).toMatch(/^40/)
    expect(guard.pending).toBe(1)
    clock.advance(1_000)
    expect((await first.post(connect({ token }))).status).toBe(400)
  })

  it.each<[string, Record<string, string | string[]>]>([
    ['500 headers and one', Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`X-${i}`, '']))],
    ['two origins', { Origin: [origin, origin] }],
  ])('G44 is not let wait with %s', async (_, headers) => {
    const { port, guard } = await startSocketIo()
    await expect(RawPolling.open(port, headers)).rejects.toThrow('400')
    await RawPolling.open(port, { Origin: origin })
    expect(guard.pending).toBe(1)
  })

  it('G44 is not let wait by another HTTP method, transport or version', async () => {
    const { port, guard } = await startSocketIo()
    const bad = ['transport=polling&EIO=3', 'transport=none&EIO=4', 'EIO=4', 'transport=websocket&EIO=4']
    for (const query of bad) expect((await ask(port, `/socket.io/?${query}`)).status).toBe(400)
    expect((await ask(port, '/socket.io/?transport=polling&EIO=4', { method: 'PUT' })).status).toBe(400)
    expect(guard.pending).toBe(0)
  })

  it('G44 a client sends 64 KiB, and asks for 64 namespaces', async () => {
    const { port, reasons } = await startSocketIo({ before: (io) => void io.of(/^\/\d+$/) })
    const long = (length: number) => connect({ token: 'bad', text: 'x'.repeat(length) })
    const first = await RawPolling.open(port)
    await first.post(long(60_000))
    expect((await first.poll()).text).toMatch(/^44/)
    await first.post(long(10_000))
    const second = await RawPolling.open(port)
    const asks = (count: number) => Array.from({ length: count }, (_, i) => `40/${i},{"token":"bad"}`).join('\x1e')
    await second.post(asks(65))
    const third = await RawPolling.open(port)
    await third.post(asks(64))
    await nextTurn()
    expect(reasons().filter((reason) => reason !== 'credential-unknown')).toEqual([
      'credential-too-large',
      'messages-too-many',
    ])
  })

  it('G44 who is in asks for 64 namespaces at a time, and one more ends it', async () => {
    const asks = (count: number) => Array.from({ length: count }, (_, i) => `40/${i},{}`).join('\x1e')
    const { client, events, io } = await polling(cookie, { before: (io) => void io.of(/^\/\d+$/) })
    await client.post(asks(64))
    expect((await client.poll()).text.split('\x1e')).toHaveLength(64)
    expect(io._nsps.size).toBe(65)
    await client.post(asks(65).replaceAll('40/', '40/9'))
    expect(events.at(-1)).toMatchObject({ type: 'ended', code: 'limited' })
  })

  it('G45 makes no namespace, and takes none away that somebody waits for', async () => {
    const { verify, asked, release } = held(verifyClaims)
    const { port, io, guard } = await startSocketIo({
      guard: {
        accept: allMethods((token, context) =>
          token === 'bad' ? rejected('credential-unknown') : verify(token, context),
        ).accept,
      },
      before: (io) => void io.of(/^\/room-\d+$/),
    })
    const client = await RawPolling.open(port)
    await client.post(`40/room-1,{"token":"bad"}\x1e40/room-2,{}`)
    expect((await client.poll()).text).toMatch(/^44\/room-1,/)
    expect([...io._nsps.keys()]).toEqual(['/'])
    const other = await RawPolling.open(port)
    await other.post(`40/room-1,${JSON.stringify({ token })}`)
    await asked
    await client.post('40/room-1,{"token":"bad"}')
    expect((await client.poll()).text).toMatch(/^44\/room-1,/)
    release()
    expect((await other.poll()).text).toMatch(/^40\/room-1,/)
    expect([io.of('/room-1').sockets.size, guard.connections.size]).toEqual([1, 1])
  })
})
