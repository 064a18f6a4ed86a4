import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createGuard } from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import { testClock } from '../support/clock.js'
import { nextTurn } from '../support/deferred.js'
import { allMethods } from '../support/guard.js'
import { RawClient, rawFrame, rawHandshake, rawOpen } from '../support/raw.js'
import { echo } from '../support/server.js'

const bearer = { Authorization: 'Bearer good-ada' }

/** A server that others listen to, with a guarded `/ws`. */
async function start(...attach: ((server: Server) => void)[]) {
  const clock = testClock()
  const server = createServer((_, response) => response.end('served'))
  for (const listener of attach) listener(server)
  server.listen(0, '127.0.0.1')
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { clock, server, port: (server.address() as AddressInfo).port }
}

const guardIt = (clock = testClock()) => {
  const guard = createGuard({ ...allMethods(), clock })
  return (server: Server) => void guardServer(server, guard, { path: '/ws' }, echo)
}

/** Expects the guarded route to do all that it does. */
async function expectGuarded(port: number): Promise<void> {
  const { client, head } = await rawOpen(port, '/ws', bearer)
  expect(head.status).toBe(101)
  client.write(rawFrame('hello'))
  expect(await client.textsUntil(2)).toEqual(['hello ada', 'hello'])
  client.destroy()
  expect((await rawOpen(port, '/ws', { Authorization: 'Bearer bad' })).head.status).toBe(401)
}

describe('A46 an upgrade to a guarded path is seen by nobody else', () => {
  const onUpgrade = (listener: (socket: Duplex) => void) => (server: Server) =>
    void server.on('upgrade', (_, socket) => listener(socket))
  const manners: [string, (server: Server) => void, RegExp][] = [
    ['answers all with 404', onUpgrade((socket) => socket.end('HTTP/1.1 404 Not Found\r\n\r\n')), /^HTTP\/1\.1 404 /],
    ['destroys all', onUpgrade((socket) => socket.destroy()), /^$/],
    ['accepts all', (server) => void new WebSocketServer({ server }), /^HTTP\/1\.1 101 /],
    ['accepts one path', (server) => void new WebSocketServer({ server, path: '/x' }), /^HTTP\/1\.1 400 /],
  ]

  describe.each(manners)('A46 on a server where somebody %s', (_, attach, answer) => {
    it.each(['before', 'after'])('A46 %s the guard', async (order) => {
      const { port } = await (order === 'before' ? start(attach, guardIt()) : start(guardIt(), attach))
      await expectGuarded(port)
      // What is not ours is theirs, as it was.
      const client = await RawClient.connect(port)
      client.write(rawHandshake('/theirs', bearer))
      expect((await client.until((received) => received.includes('\r\n\r\n'))).toString()).toMatch(answer)
    })
  })

  it('A46 and stays ours when all listeners are taken off', async () => {
    const { port, server } = await start((server) => server.on('upgrade', () => {}), guardIt())
    server.removeAllListeners('upgrade')
    await nextTurn()
    await expectGuarded(port)
  })
})

describe('A47 an upgrade that nobody takes', () => {
  const polite = (server: Server) => void server.on('upgrade', () => {})

  it('A47 is refused after a second, however many polite ones listen', async () => {
    const clock = testClock()
    const { port, server } = await start(polite, guardIt(clock), polite)
    const seen = once(server, 'upgrade')
    const client = await RawClient.connect(port)
    client.write(rawHandshake('/none', bearer))
    await seen
    clock.advance(999)
    await expectGuarded(port)
    expect(client.socket.bytesRead).toBe(0)
    clock.advance(1)
    expect((await client.toEnd()).status).toBe(404)
  })

  it('A47 ends no process when its peer resets the connection', async () => {
    const { port, server } = await start(polite, guardIt(), polite)
    const upgraded = once(server, 'upgrade')
    const client = await RawClient.connect(port)
    client.write(rawHandshake('/none', bearer))
    const [, socket] = (await upgraded) as [unknown, Socket]
    const gone = new Promise((resolve) => socket.on('close', resolve))
    client.socket.resetAndDestroy()
    await gone
    await expectGuarded(port)
  })

  it('A47 does not take from who has only begun to think', async () => {
    const clock = testClock()
    const thinking: Duplex[] = []
    const thinker = (server: Server) =>
      void server.on('upgrade', (_, socket) => thinking.push(socket.on('error', () => {})))
    const { port } = await start(thinker, guardIt(clock))
    const client = await RawClient.connect(port)
    client.write(rawHandshake('/theirs', bearer))
    while (thinking.length === 0) await nextTurn()
    clock.advance(9_000)
    thinking[0]?.end('HTTP/1.1 426 Upgrade Required\r\n\r\n')
    expect((await client.toEnd()).status).toBe(426)
  })
})

describe('F63 an upgrade that comes before the request in front of it is answered', () => {
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

  /** A guarded server that answers its requests when it is told to. */
  async function slow() {
    const clock = testClock()
    const guard = createGuard({ ...allMethods(), clock })
    const reasons: string[] = []
    guard.subscribe((event) => event.type === 'refused' && reasons.push(event.reason))
    const { server, port } = await start((server) => void guardServer(server, guard, { path: '/ws' }, echo))
    server.removeAllListeners('request')
    const answers: (() => void)[] = []
    server.on('request', (_, response) => answers.push(() => response.end('served')))
    const client = await RawClient.connect(port)
    return { client, answers, reasons, guard }
  }

  it.each(['/ws', '/none'])('F63 is refused behind its answer: %s', async (target) => {
    const { client, answers, reasons, guard } = await slow()
    const upgraded = rawHandshake(target, bearer)
    client.write(request + upgraded)
    while (answers.length === 0) await nextTurn()
    await nextTurn()
    expect(await client.until(() => true)).toHaveLength(0)
    answers[0]?.()
    const { text } = await client.toEnd()
    expect(text).toMatch(target === '/ws' ? /200 OK.*servedHTTP\/1\.1 400 /s : /200 OK.*servedHTTP\/1\.1 404 /s)
    expect(text).not.toContain('101')
    expect(reasons).toEqual(target === '/ws' ? ['handshake-pipelined'] : [])
    expect(guard.pending).toBe(0)
  })

  it('F63 and is taken when it comes behind that', async () => {
    const { client, answers } = await slow()
    client.write(request)
    while (answers.length === 0) await nextTurn()
    answers[0]?.()
    await client.until((received) => received.includes('served'))
    client.write(rawHandshake('/ws', bearer))
    expect(String(await client.until((received) => received.includes('hello ada')))).toContain('101 Switching')
  })
})

describe('G34 the second head on a connection', () => {
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

  async function serveOne() {
    const clock = testClock()
    const { port, server } = await start(guardIt(clock))
    const connected = once(server, 'connection')
    const client = await RawClient.connect(port)
    const [socket] = (await connected) as [Socket]
    client.write(request)
    await client.until((received) => received.includes('served'))
    await nextTurn()
    client.write('GET /ws HTTP/1.1\r\n')
    while (socket.bytesRead <= request.length) await nextTurn()
    return { clock, client, socket, port }
  }

  it('G34 has its ten seconds too', async () => {
    const { clock, client, port } = await serveOne()
    clock.advance(10_000)
    expect((await client.toEnd()).text).toMatch(/served.*HTTP\/1\.1 408 /s)
    await expectGuarded(port)
  })

  it('G34 is served when it comes in time', async () => {
    const { clock, client, socket } = await serveOne()
    clock.advance(9_000)
    client.write(rawHandshake('/ws', bearer).split('\r\n').slice(1).join('\r\n'))
    expect(await client.until((received) => received.includes('hello ada'))).toBeTruthy()
    clock.advance(10_000)
    expect(socket.writableEnded).toBe(false)
  })
})
