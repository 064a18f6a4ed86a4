import { EventEmitter, once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { createGuard } from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { limitHeads } from '../../../src/adapters/node/head-deadline.js'
import { testClock } from '../../support/clock.js'
import { allMethods } from '../../support/guard.js'
import { RawClient, rawHandshake } from '../../support/raw.js'
import { echo } from '../../support/server.js'

const head = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A server whose heads have ten seconds. */
async function start() {
  const clock = testClock()
  const server = createServer((_, response) => response.end('served'))
  const stop = limitHeads(server, clock, 10_000)
  const port = await listen(server)
  /** A connection that the server has seen. */
  const open = async () => {
    const connected = once(server, 'connection')
    const client = await RawClient.connect(port)
    const [socket] = (await connected) as [Socket]
    /** Sends something, and waits until the server has read it. */
    const send = async (data: string) => {
      const { bytesRead } = socket
      client.write(data)
      while (socket.bytesRead < bytesRead + data.length) await new Promise(setImmediate)
    }
    return { client, socket, send }
  }
  return { clock, server, stop, port, open }
}

describe('limitHeads', () => {
  it('ends a silent connection when its time is over, without a word', async () => {
    const { clock, open } = await start()
    const { client } = await open()
    clock.advance(9_999)
    expect(client.socket.readableEnded).toBe(false)
    clock.advance(1)
    expect((await client.toEnd()).text).toBe('')
    expect(clock.pending).toBe(0)
  })

  it('ends one that drips with 408, however busily', async () => {
    const { clock, open } = await start()
    const { client, send } = await open()
    await send('GET / HTTP/1.1\r\n')
    for (let second = 0; second < 9; second++) {
      clock.advance(1_000)
      await send(`X-${second}: x\r\n`)
    }
    clock.advance(999)
    expect(client.socket.readableEnded).toBe(false)
    clock.advance(1)
    expect((await client.toEnd()).status).toBe(408)
  })

  it('lets in who is through at the last moment', async () => {
    const { clock, open } = await start()
    const { client, send } = await open()
    clock.advance(9_999)
    await send(head)
    expect((await client.head()).status).toBe(200)
    clock.advance(60_000)
    await send(head)
    await client.until((received) => received.toString().split('served').length === 3)
    expect(clock.pending).toBe(0)
  })

  it('gives each its own time', async () => {
    const { clock, open } = await start()
    const first = await open()
    clock.advance(3_500)
    const second = await open()
    clock.advance(6_500)
    await first.client.gone()
    clock.advance(3_499)
    expect(second.client.socket.readableEnded).toBe(false)
    clock.advance(1)
    await second.client.gone()
  })

  it('has one timer for all, and at the latest when their time is over none for those that have left', async () => {
    const { clock, open } = await start()
    const all = [await open(), await open(), await open()]
    expect(clock.pending).toBe(1)
    for (const { client, socket } of all) {
      client.destroy()
      await once(socket, 'close')
    }
    clock.advance(10_000)
    expect(clock.pending).toBe(0)
  })

  it('holds no more than a thousand of those that have left, or as many as there are', () => {
    const server = new EventEmitter() as unknown as Server
    const entries = vi.spyOn(Map.prototype, 'set')
    limitHeads(server, testClock(), 10_000)
    for (let i = 0; i < 5_000; i++) server.emit('connection', { destroyed: i > 0 })
    const waiting = entries.mock.contexts.at(-1) as Map<unknown, unknown>
    entries.mockRestore()
    expect(waiting.size).toBeLessThanOrEqual(1_000)
    expect([...waiting.keys()][0]).toEqual({ destroyed: false })
  })

  it('leaves a connection alone once the watch has stopped', async () => {
    const { clock, open, stop, server } = await start()
    const { client, send, socket } = await open()
    stop()
    expect(clock.pending).toBe(0)
    expect(socket.listenerCount('close')).toBe((await open()).socket.listenerCount('close'))
    expect(Object.hasOwn(server, 'emit')).toBe(false)
    clock.advance(60_000)
    await send(head)
    expect((await client.head()).status).toBe(200)
  })

  describe.each([
    [
      'checkContinue',
      'GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n',
      /100 Continue\r\n\r\nHTTP.*200.*served/s,
    ],
    ['checkExpectation', 'GET / HTTP/1.1\r\nHost: a\r\nExpect: else\r\n\r\n', /417 Expectation Failed/],
    ['connect', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', /^$/],
  ])('on a server that listens for %s', (event, request, byDefault) => {
    it('lets in whose request comes there', async () => {
      const { clock, open, server } = await start()
      server.on(event, ({ socket }: { readonly socket: Socket }) => socket.write('heard'))
      const [silent, { client, socket, send }] = [await open(), await open()]
      await send(request)
      await client.until((received) => received.includes('heard'))
      clock.advance(10_000)
      expect([silent.socket.writableEnded, socket.writableEnded]).toEqual([true, false])
    })

    it('leaves it to Node where nobody does', async () => {
      const { open, server } = await start()
      expect(server.listenerCount(event)).toBe(0)
      const { client, send } = await open()
      await send(request)
      const received = await client.until((bytes) => bytes.length > 0 && byDefault.test(bytes.toString()))
      expect(received.toString()).toMatch(byDefault)
    })
  })

  it('sees the requests of a server whose listeners were all taken off, and called by somebody else', async () => {
    const { clock, open, server } = await start()
    const listeners = server.listeners('request')
    server.removeAllListeners('request')
    server.on('request', (...args) => {
      for (const listener of listeners) Reflect.apply(listener, server, args)
    })
    const [silent, { client, socket, send }] = [await open(), await open()]
    await send(head)
    expect((await client.head()).status).toBe(200)
    clock.advance(10_000)
    expect([silent.socket.writableEnded, socket.writableEnded]).toEqual([true, false])
  })

  it('tells connections apart that have no address', async () => {
    const clock = testClock()
    const server = createServer((_, response) => response.end('served'))
    limitHeads(server, clock, 10_000)
    const path = `\0sallyport-${process.pid}-${Date.now()}`
    server.listen(path)
    await once(server, 'listening')
    const open = async () => {
      const connected = once(server, 'connection')
      const socket = connectTcp(path)
      onTestFinished(() => {
        socket.destroy()
        server.close()
      })
      await connected
      return socket
    }
    const [silent, quick] = [await open(), await open()]
    quick.write(head)
    await once(quick, 'data')
    clock.advance(10_000)
    await once(silent.resume(), 'end')
    quick.write(head)
    await once(quick, 'data')
  })
})

describe('limitHeads over TLS', () => {
  // A key that both know, in place of a certificate.
  const key = Buffer.from('only for tests, only for tests!!')
  const psk = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' } as const

  async function startSecure() {
    const clock = testClock()
    const server = createSecureServer({ ...psk, pskCallback: () => key })
    guardServer(server, createGuard({ ...allMethods(), clock, life: { heartbeat: 0 } }), { path: '/ws' }, echo)
    const port = await listen(server)
    const openTcp = async () => {
      const connected = once(server, 'connection')
      const client = await RawClient.connect(port)
      const [socket] = (await connected) as [Socket]
      return { client, socket }
    }
    const openTls = async () => {
      const secured = once(server, 'secureConnection')
      const options = { port, host: '127.0.0.1', ...psk, pskCallback: () => ({ psk: key, identity: 'test' }) }
      const socket = connectTls({ ...options, checkServerIdentity: () => undefined })
      socket.on('error', () => {})
      const [secure] = (await secured) as [TLSSocket]
      return { socket, secure }
    }
    return { clock, openTcp, openTls }
  }

  it('leaves connections alone that it could not tell apart, over a Unix socket', async () => {
    const clock = testClock()
    const server = createSecureServer({ ...psk, pskCallback: () => key })
    limitHeads(server, clock, 10_000)
    const path = `\0sallyport-tls-${process.pid}-${Date.now()}`
    server.listen(path)
    await once(server, 'listening')
    const connected = once(server, 'connection')
    const client = connectTcp(path)
    onTestFinished(() => {
      client.destroy()
      server.close()
    })
    await connected
    expect(clock.pending).toBe(0)
  })

  it.each([
    ['never begins with TLS', ''],
    ['never comes through TLS', '\x16\x03\x01\x02\x00\x01'],
  ])('ends a connection that %s, without a word', async (_, sent) => {
    const { clock, openTcp } = await startSecure()
    const { client, socket } = await openTcp()
    client.write(Buffer.from(sent, 'latin1'))
    while (socket.bytesRead < sent.length) await new Promise(setImmediate)
    clock.advance(9_999)
    expect(client.socket.readableEnded).toBe(false)
    clock.advance(1)
    expect((await client.toEnd()).text).toBe('')
  })

  it.each([
    ['nothing', '', /^$/],
    ['half a head', 'GET / HTTP/1.1\r\n', /^HTTP\/1\.1 408 /],
  ])('ends one that sends %s behind it, by TLS', async (_, sent, answer) => {
    const { clock, openTls } = await startSecure()
    const { socket, secure } = await openTls()
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.write(sent)
    while (secure.bytesRead < sent.length) await new Promise(setImmediate)
    clock.advance(10_000)
    await once(socket, 'end')
    expect(Buffer.concat(chunks).toString()).toMatch(answer)
    expect(clock.pending).toBe(0)
  })

  it('leaves one alone that is through', async () => {
    const { clock, openTls } = await startSecure()
    const { socket } = await openTls()
    const chunks: Buffer[] = []
    const text = () => Buffer.concat(chunks).toString()
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.write(rawHandshake('/ws', { Authorization: 'Bearer good-ada' }))
    while (!text().includes('hello ada')) await once(socket, 'data')
    clock.advance(59_000)
    // A ping without a payload.
    socket.write(Buffer.from([0x89, 0x80, 0, 0, 0, 0]))
    const [pong] = (await once(socket, 'data')) as [Buffer]
    expect(pong).toEqual(Buffer.from([0x8a, 0]))
    expect(socket.readableEnded).toBe(false)
  })
})
