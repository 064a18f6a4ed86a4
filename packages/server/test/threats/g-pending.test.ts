import { once } from 'node:events'
import type { Socket } from 'node:net'
import { promisify } from 'node:util'
import { deflateRaw } from 'node:zlib'
import {
  createGuard,
  type GuardEvent,
  type Identity,
  rejected,
  UnavailableError,
  type Verifier,
} from '@sallyport/server'
import type { TestClient } from '@sallyport/server/testing'
import { describe, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { testClock } from '../support/clock.js'
import { nextTurn } from '../support/deferred.js'
import { allMethods, origin } from '../support/guard.js'
import { held } from '../support/held.js'
import { authFrame, credentialOf, live, nextEvent, sendAuth, verifyClaims } from '../support/live.js'
import { RawClient, rawFrame, rawHandshake, rawOpen } from '../support/raw.js'
import { startServer } from '../support/server.js'

const second = 1_000
const limited = { code: 4029, reason: 'Too many attempts' }

/** A live server over TCP, its time in the test's hands. */
async function start(options: Parameters<typeof startServer>[2] = {}) {
  const clock = testClock()
  const guard = createGuard({ ...allMethods(), clock })
  const events: GuardEvent[] = []
  guard.subscribe((event) => events.push(event))
  const seen: string[] = []
  const sockets: WebSocket[] = []
  const started = await startServer(
    guard,
    (socket) => {
      sockets.push(socket)
      socket.on('message', (data) => {
        seen.push(String(data))
        socket.send(`echo ${data}`)
      })
    },
    options,
  )
  /** A TCP connection that the server has seen, both ends. */
  const open = async () => {
    const connected = once(started.server, 'connection')
    const client = await RawClient.connect(started.port)
    const [socket] = (await connected) as [Socket]
    return { client, socket }
  }
  /** Whatever happened, a good client is served. */
  const control = async () => {
    const { client, head } = await rawOpen(started.port, '/ws', { Authorization: 'Bearer good-control' })
    expect(head.status).toBe(101)
    client.write(rawFrame('control'))
    expect(await client.textsUntil(1)).toEqual(['echo control'])
    client.destroy()
  }
  return { ...started, clock, guard, events, seen, sockets, open, control }
}

describe('G01 a connection that says nothing', () => {
  it('G01 is closed after ten seconds', async () => {
    const { open, clock, idle, control } = await start()
    const { client } = await open()
    clock.advance(10 * second - 1)
    expect(client.socket.readableEnded).toBe(false)
    clock.advance(1)
    expect((await client.toEnd()).text).toBe('')
    client.destroy()
    await idle()
    await control()
  })

  it('G01 nor is it half open for long, when it does not answer the FIN', async () => {
    const { open, clock, idle } = await start()
    const { client, socket } = await open()
    clock.advance(10 * second)
    await client.toEnd()
    // The client keeps its half open; the server does not.
    if (!socket.closed) await once(socket, 'close')
    expect(client.socket.writable).toBe(true)
    await idle()
  })

  it('G01 but not when its handshake came at the last moment', async () => {
    const { open, clock, guard } = await start()
    const { client } = await open()
    clock.advance(10 * second - 1)
    client.write(rawHandshake('/ws', { Authorization: 'Bearer good-ada' }))
    expect((await client.head()).status).toBe(101)
    clock.advance(30 * second)
    await client.ping()
    expect(client.isClosed).toBe(false)
    expect(guard.connections.size).toBe(1)
  })
})

describe('G02 a head that drips', () => {
  const full = rawHandshake('/ws', { Authorization: 'Bearer good-ada' })

  it('G02 is answered with 408 after ten seconds, however busily', async () => {
    const { open, clock, seen, guard, control } = await start()
    const { client, socket } = await open()
    for (let at = 0; at < 20; at++) {
      client.write(full[at]!)
      while (socket.bytesRead <= at) await nextTurn()
      expect(client.socket.readableEnded).toBe(false)
      clock.advance(second / 2)
    }
    expect((await client.toEnd()).status).toBe(408)
    expect(guard.connections.size).toBe(0)
    expect(seen).toEqual([])
    await control()
  })

  it('G02 is let in when it is whole by then', async () => {
    const { open, clock } = await start()
    const { client, socket } = await open()
    const step = Math.ceil(full.length / 19)
    for (let at = 0; at < full.length; at += step) {
      client.write(full.slice(at, at + step))
      const read = Math.min(at + step, full.length)
      while (socket.bytesRead < read) await nextTurn()
      clock.advance(second / 2)
    }
    expect((await client.head()).status).toBe(101)
  })
})

describe('G03 a verifier that hangs', () => {
  it.each([
    ['by its own time', 5 * second, undefined],
    ['as it is told', second, second],
  ])('G03 is not waited for: 503, %s', async (_, time, verifyTimeout) => {
    const hung = held()
    let aborted = false
    const { server, present, clock, guard, reasons, connect, seen } = live({
      verify: (credential, context) => {
        if (credential !== 'hangs') return verifyClaims(credential, context)
        context.signal.addEventListener('abort', () => {
          aborted = true
        })
        return hung.verify(credential, context)
      },
      ...(verifyTimeout && { verifyTimeout }),
    })
    const answer = server.connect(await present('hangs', 'header')).catch((error: unknown) => error)
    await hung.asked
    clock.advance(time - 1)
    await nextTurn()
    expect(reasons()).toEqual([])
    clock.advance(1)
    expect(await answer).toMatchObject({ status: 503, headers: { 'retry-after': '5' } })
    expect(reasons()).toEqual(['dependency-unavailable'])
    expect(aborted).toBe(true)
    hung.release()
    await nextTurn()
    expect(guard.connections.size).toBe(0)
    await connect()
    expect(seen).toEqual(['handler ada'])
  })

  it('G03 nor at a first message, a ticket or a renewal', async () => {
    const { server, clock, renew, guard } = live({ verify: () => new Promise(() => {}) })
    const client = await server.connect()
    client.send(authFrame('hangs'))
    const headers = { Authorization: 'Bearer hangs' }
    const answers = [server.fetch('/ws/ticket', { method: 'POST', headers }), renew('hangs')]
    while (clock.pending < 3) await nextTurn()
    clock.advance(5 * second)
    expect(await client.closed).toEqual({ code: 1013, reason: 'Temporarily unavailable' })
    for (const answer of answers) expect((await answer).status).toBe(503)
    expect(guard.connections.size).toBe(0)
  })
})

describe('G04 sockets that are not decided', () => {
  /** A guard with few places, and how often it has verified something. */
  function crowded(limits: { pendingSockets?: number; pendingPerAddress?: number }) {
    let verifications = 0
    const hung = held()
    const set = live({
      limits,
      verifyTimeout: 60 * second,
      verify: (credential, context) => {
        verifications++
        return credential === 'hangs' ? hung.verify('good-x', context) : verifyClaims(credential, context)
      },
    })
    const { server, present, connect } = set
    const addresses = (count: number) => Array.from({ length: count }, (_, i) => `198.51.100.${i}`)
    /** A socket whose credential is being verified. */
    const verifying = async (address: string) => {
      const before = verifications
      const attempt = server.connect({ ...(await present('hangs', 'header')), address })
      attempt.catch(() => {})
      while (verifications === before) await nextTurn()
    }
    const waiting = (address: string) => server.connect({ address })
    const good = (address: string) => connect({}, 'header', address)
    return { ...set, addresses, verifying, waiting, good, verifications: () => verifications, hung }
  }

  it('G04 are bounded in all, before anything is verified', async () => {
    const { verifying, waiting, good, addresses, verifications, reasons, seen } = crowded({ pendingSockets: 3 })
    for (const address of addresses(3)) await verifying(address)
    for (const attempt of [() => good('192.0.2.1'), () => waiting('192.0.2.1')]) {
      await expect(attempt()).rejects.toMatchObject({ status: 429, headers: { 'retry-after': '10' } })
    }
    expect(verifications()).toBe(3)
    expect(reasons()).toEqual(['pending', 'pending'])
    expect(seen).toEqual([])
  })

  it('G04 are bounded for each address, and the others are not concerned', async () => {
    const { verifying, good, verifications, seen } = crowded({ pendingPerAddress: 2 })
    for (let i = 0; i < 2; i++) await verifying('192.0.2.1')
    await expect(good('192.0.2.1')).rejects.toMatchObject({ status: 429 })
    expect(verifications()).toBe(2)
    await good('192.0.2.2')
    expect(seen).toEqual(['handler ada'])
  })

  it('G04 are bounded for each /64 of IPv6', async () => {
    const { verifying, good, seen } = crowded({ pendingPerAddress: 2 })
    for (const address of ['2001:db8:1:1::1', '2001:db8:1:1:ffff::2']) await verifying(address)
    await expect(good('2001:db8:1:1:2:3:4:5')).rejects.toMatchObject({ status: 429 })
    await good('2001:db8:1:2::1')
    expect(seen).toEqual(['handler ada'])
  })

  it('G04 make room for the others when they are decided', async () => {
    const { verifying, good, addresses, hung, guard } = crowded({ pendingSockets: 3 })
    for (const address of addresses(3)) await verifying(address)
    await expect(good('192.0.2.1')).rejects.toMatchObject({ status: 429 })
    hung.release()
    while (guard.connections.size < 3) await nextTurn()
    await good('192.0.2.1')
    expect(guard.connections.size).toBe(4)
  })

  it('G04 that only wait do not keep out who has a credential: the oldest makes room', async () => {
    const { waiting, good, addresses, seen, reasons } = crowded({ pendingSockets: 5 })
    const crowd: TestClient<Identity>[] = []
    for (const address of addresses(5)) crowd.push(await waiting(address))
    for (let i = 0; i < 3; i++) await good(`192.0.2.${i}`)
    expect(seen).toEqual(['handler ada', 'handler ada', 'handler ada'])
    // A place that was made is free again once its socket is accepted, so that one was enough for all three.
    expect(await crowd[0]?.closed).toEqual(limited)
    for (const client of crowd.slice(1)) {
      expect(client.socket.readyState).toBe(client.socket.OPEN)
      expect(await sendAuth(client, credentialOf())).toMatchObject({ type: 'auth_ok' })
    }
    expect(reasons()).toEqual(['pending'])
  })

  it('G04 nor who comes from their own address', async () => {
    const { waiting, good, seen } = crowded({ pendingPerAddress: 3 })
    const crowd = [await waiting('192.0.2.1'), await waiting('192.0.2.1'), await waiting('192.0.2.1')]
    const neighbour = await waiting('192.0.2.2')
    await good('192.0.2.1')
    expect(seen).toEqual(['handler ada'])
    expect(await crowd[0]?.closed).toEqual(limited)
    expect([...crowd.slice(1), neighbour].map(({ socket }) => socket.readyState)).toEqual([1, 1, 1])
  })

  it('G04 have to make room only as long as they wait', async () => {
    const { waiting, good, verifying, addresses, hung, guard } = crowded({ pendingSockets: 3 })
    const crowd: TestClient<Identity>[] = []
    for (const address of addresses(3)) crowd.push(await waiting(address))
    for (const client of crowd.slice(0, 2)) client.send(authFrame('hangs'))
    await hung.asked
    await nextTurn()
    // The oldest two are being verified: they stay, and count.
    await verifying('192.0.2.1')
    expect(await crowd[2]?.closed).toEqual(limited)
    await expect(good('192.0.2.2')).rejects.toMatchObject({ status: 429 })
    hung.release()
    while (guard.connections.size < 3) await nextTurn()
    for (const client of crowd.slice(0, 2)) expect(client.socket.readyState).toBe(client.socket.OPEN)
    await good('192.0.2.2')
  })

  it('G04 a thousand of them, and a login among them', async () => {
    const { waiting, good, seen, clock, guard } = crowded({})
    const crowd: TestClient<Identity>[] = []
    for (let i = 0; i < 1_000; i++) crowd.push(await waiting(`198.51.${i >> 8}.${i & 255}`))
    await good('192.0.2.1')
    expect(seen).toEqual(['handler ada'])
    clock.advance(5 * second)
    await Promise.all(crowd.map(({ closed }) => closed))
    expect(guard.connections.size).toBe(1)
  })
})

describe('G05 a bomb', () => {
  const webSocketServer = () => new WebSocketServer({ noServer: true, perMessageDeflate: true, maxPayload: 4_194_304 })
  const extension = { 'Sec-WebSocket-Extensions': 'permessage-deflate' }

  /** A compressed text frame (RFC 7692 section 7.2.1) of a message that is 1,000 times as large. */
  async function bomb() {
    const deflated = await promisify(deflateRaw)(Buffer.alloc(2_097_152, 'x'), { finishFlush: 2 })
    const frame = rawFrame(deflated.subarray(0, -4))
    frame[0] = frame[0]! | 0x40
    expect(frame.length).toBeLessThan(3_000)
    return frame
  }

  it('G05 is not inflated before acceptance: there is no compression', async () => {
    const { port, seen, control, guard } = await start({ webSocketServer: webSocketServer() })
    const { client, head } = await rawOpen(port, '/ws', extension)
    expect(head.headers.has('sec-websocket-extensions')).toBe(false)
    client.write(await bomb())
    expect((await client.closeFrame())?.code).toBe(1002)
    expect(seen).toEqual([])
    expect(guard.connections.size).toBe(0)
    await control()
  })

  it('G05 is a message like any other when it was accepted, and the application has asked for compression', async () => {
    const { port, seen } = await start({ webSocketServer: webSocketServer() })
    const headers = { ...extension, Authorization: 'Bearer good-ada' }
    const { client, head } = await rawOpen(port, '/ws', headers)
    expect(head.headers.get('sec-websocket-extensions')).toBe('permessage-deflate')
    client.write(await bomb())
    await client.until(() => seen.length > 0 || client.frames().length > 0)
    expect(seen.map((text) => text.length)).toEqual([2_097_152])
  })

  it('G05 is refused by default, accepted or not', async () => {
    const { port, seen, control } = await start()
    const { client, head } = await rawOpen(port, '/ws', { ...extension, Authorization: 'Bearer good-ada' })
    expect(head.headers.has('sec-websocket-extensions')).toBe(false)
    client.write(await bomb())
    expect((await client.closeFrame())?.code).toBe(1002)
    expect(seen).toEqual([])
    await control()
  })
})

describe('G06 a message without end', () => {
  const fragment = (bytes: number, opcode = 0) => rawFrame('x'.repeat(bytes), { fin: false, opcode })

  it.each([
    ['of large fragments', 2_000],
    ['of tiny ones', 1],
    ['of empty ones', 0],
  ])('G06 %s is cut off before acceptance', async (_, bytes) => {
    const { port, seen, control } = await start()
    const { client, head } = await rawOpen(port, '/ws')
    expect(head.status).toBe(101)
    const one = fragment(bytes)
    client.write(fragment(bytes, 1))
    let sent = one.length
    while (!client.isClosed && sent < 1_000_000) {
      client.write(Buffer.concat(Array(50).fill(one)))
      sent += 50 * one.length
      await nextTurn()
    }
    expect((await client.closeFrame())?.code).toBe(1009)
    expect(seen).toEqual([])
    await control()
  })

  it('G06 is cut off after acceptance too, at a mebibyte', async () => {
    const { port, seen, control } = await start()
    const { client } = await rawOpen(port, '/ws', { Authorization: 'Bearer good-ada' })
    client.write(fragment(65_000, 1))
    for (let i = 0; i < 17 && !client.isClosed; i++) client.write(fragment(65_000))
    expect((await client.closeFrame())?.code).toBe(1009)
    expect(seen).toEqual([])
    await control()
  })

  it('G06 of empty fragments too, at those that ws takes', async () => {
    const { port, seen, control } = await start()
    const { client } = await rawOpen(port, '/ws', { Authorization: 'Bearer good-ada' })
    client.write(fragment(0, 1))
    client.write(Buffer.concat(Array(20_000).fill(fragment(0))))
    expect((await client.closeFrame())?.code).toBe(1008)
    expect(seen).toEqual([])
    await control()
  })

  it('G06 but one that ends is delivered', async () => {
    const { port } = await start()
    const { client } = await rawOpen(port, '/ws', { Authorization: 'Bearer good-ada' })
    client.write(Buffer.concat([fragment(1, 1), ...Array(98).fill(fragment(1)), rawFrame('x', { opcode: 0 })]))
    expect(await client.textsUntil(1)).toEqual([`echo ${'x'.repeat(100)}`])
  })
})

describe('G07 a slow reader', () => {
  it('G07 is sent nothing at all before acceptance, so that nothing piles up', async () => {
    const { server, present } = live({ verify: async () => rejected('credential-unknown') })
    const client = await server.connect()
    let received = 0
    client.socket.on('message', () => received++)
    client.send('x')
    client.send(authFrame('bad'))
    expect((await client.closed).code).toBe(4001)
    // `auth_fail`.
    expect(received).toBe(1)
    await expect(server.connect(await present('bad', 'header'))).rejects.toMatchObject({ status: 401 })
  })

  it('G07 that takes neither its messages nor the Close is terminated a second later', async () => {
    const { port, guard, sockets, clock } = await start()
    const { client } = await rawOpen(port, '/ws', { Authorization: 'Bearer good-ada' })
    client.socket.pause()
    const [socket] = sockets as [WebSocket]
    while (socket.bufferedAmount < 1_048_576) {
      socket.send(Buffer.alloc(65_536))
      await nextTurn()
    }
    const closed = nextEvent(guard, 'closed')
    // A restart leaves the time to read what was sent.
    const drained = guard.drain({ within: 0 })
    expect(socket.readyState).toBe(socket.CLOSING)
    clock.advance(second)
    await closed
    await drained
    expect(socket.readyState).toBe(socket.CLOSED)
  })

  const mebibyte = 1_048_576
  const chunk = Buffer.alloc(65_536)

  /** Sends 32 MiB, more than the buffers of the kernel take, to a client that reads or does not: how much was sent. */
  async function push(maxBufferedBytes: number | undefined, reads: boolean) {
    const started = await start(maxBufferedBytes === undefined ? {} : { maxBufferedBytes })
    const { client } = await rawOpen(started.port, '/ws', { Authorization: 'Bearer good-ada' })
    client.socket.removeAllListeners('data')
    client.socket[reads ? 'resume' : 'pause']()
    const [socket] = started.sockets as [WebSocket]
    let most = 0
    for (let sent = 0; sent < 32 * mebibyte && started.guard.connections.size > 0; sent += chunk.length) {
      socket.send(chunk)
      most = Math.max(most, socket.bufferedAmount)
      await nextTurn()
    }
    return { ...started, client, most }
  }

  it.each([
    ['1 MiB, as it was told', mebibyte, mebibyte],
    ['16 MiB by default', undefined, 16 * mebibyte],
  ])('G07 that lets more wait than %s is ended at once', async (_, option, max) => {
    const { clock, events, most, idle, client, control } = await push(option, false)
    expect(most).toBeGreaterThan(max)
    expect(most).toBeLessThan(max + 2 * chunk.length)
    // Not by a Close, which would wait behind the rest for a second.
    await idle()
    expect(clock.pending).toBe(0)
    expect(events).toMatchObject([{ type: 'accepted' }, { type: 'ended', code: 'limited' }, { type: 'closed' }])
    client.destroy()
    await control()
  })

  it('G07 but one that reads gets as much as there is', async () => {
    const { guard, events, most } = await push(mebibyte, true)
    expect(most).toBeLessThan(mebibyte)
    expect(guard.connections.size).toBe(1)
    expect(events.map(({ type }) => type)).toEqual(['accepted'])
  })

  it('G07 has its pongs counted too, and one that reads gets those that it asks for', async () => {
    const { port, sockets, guard, events } = await start({ maxBufferedBytes: mebibyte })
    // Fewer than ws itself lets wait.
    const pings = Buffer.concat(Array(50).fill(rawFrame('x'.repeat(125), { opcode: 9 })))
    const [reader, { client }] = [
      await rawOpen(port, '/ws', { Authorization: 'Bearer good-eve' }),
      await rawOpen(port, '/ws', { Authorization: 'Bearer good-ada' }),
    ]
    client.socket.pause()
    const socket = sockets[1]!
    while (socket.bufferedAmount < mebibyte / 2) {
      socket.send(chunk)
      await nextTurn()
    }
    const header = 10
    socket.send(Buffer.alloc(mebibyte - socket.bufferedAmount - header))
    await nextTurn()
    expect(guard.connections.size).toBe(2)
    const closed = nextEvent(guard, 'closed')
    reader.client.write(pings)
    client.write(pings)
    await Promise.all([closed, reader.client.ping()])
    expect(events.slice(2)).toMatchObject([{ type: 'ended', code: 'limited' }, { type: 'closed' }])
    expect([...guard.connections].map(({ identity }) => identity.id)).toEqual(['eve'])
  })

  it('G07 is ended by one message that is larger, and not by one that is as large', async () => {
    const { connect, sockets, events, guard } = live({ server: { maxBufferedBytes: 0 } })
    const client = await connect()
    sockets[0]?.send('read at once')
    expect(await client.receive()).toBe('read at once')
    expect(guard.connections.size).toBe(1)
    client.socket.pause()
    sockets[0]?.send(chunk)
    expect((await client.closed).code).toBe(1006)
    expect(events).toMatchObject([{ type: 'accepted' }, { type: 'ended', code: 'limited' }, { type: 'closed' }])
  })
})

describe('G08 a Close that is never answered', () => {
  const ways: [string, (client: RawClient) => void, number][] = [
    ['a bad first message', (client) => client.write(rawFrame(authFrame('bad'))), 4001],
    ['too much before the credential', (client) => client.write(rawFrame('x'.repeat(20_000))), 1009],
  ]

  it.each(ways)('G08 is not waited for: %s', async (_, provoke, code) => {
    const { port, clock, idle } = await start()
    const { client } = await rawOpen(port, '/ws')
    provoke(client)
    expect((await client.closeFrame())?.code).toBe(code)
    clock.advance(second - 1)
    client.write(rawFrame('still here'))
    await nextTurn()
    expect(client.socket.readableEnded).toBe(false)
    clock.advance(1)
    await client.gone()
    client.destroy()
    await idle()
    expect(clock.pending).toBe(0)
  })

  it('G08 nor when it tells of a bad credential', async () => {
    const { port, clock, idle } = await start()
    const { client } = await rawOpen(port, '/ws?token=bad', { Origin: origin })
    expect((await client.closeFrame())?.code).toBe(4001)
    clock.advance(second)
    await client.gone()
    client.destroy()
    await idle()
  })

  it('G08 nor the FIN behind a refusal', async () => {
    const { clock, idle, open } = await start()
    const { client, socket } = await open()
    client.write(rawHandshake('/ws', { Authorization: 'Bearer bad' }))
    expect((await client.toEnd()).status).toBe(401)
    expect(socket.destroyed).toBe(false)
    clock.advance(second)
    await idle()
  })

  it('G08 but an answer ends it at once', async () => {
    const { port, idle, clock } = await start()
    const { client } = await rawOpen(port, '/ws')
    client.write(rawFrame(authFrame('bad')))
    await client.closeFrame()
    client.write(rawFrame(Buffer.from([0x0f, 0xa1]), { opcode: 8 }))
    await client.gone()
    client.destroy()
    await idle()
    expect(clock.pending).toBe(0)
  })
})

describe('G09 a dependency that is down', () => {
  it('G09 is no failed attempt', async () => {
    let isDown = true
    const verify: Verifier<Identity> = (credential, context) => {
      if (isDown) throw new UnavailableError('down')
      return verifyClaims(credential, context)
    }
    const { connect } = live({ verify })
    for (let i = 0; i < 30; i++) {
      await expect(connect({ token: `t${i}` }, 'header', '192.0.2.1')).rejects.toMatchObject({ status: 503 })
    }
    isDown = false
    await expect(connect('bad', 'header', '192.0.2.1')).rejects.toMatchObject({ status: 401 })
    await connect({}, 'header', '192.0.2.1')
  })
})
