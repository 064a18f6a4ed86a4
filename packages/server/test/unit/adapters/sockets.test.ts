import type { EventEmitter } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { createGuard, firstMessage, header } from '@sallyport/server'
import { testClock, testServer } from '@sallyport/server/testing'
import { guardServer } from '@sallyport/server/ws'
import { describe, expect, it, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { claimUpgrades, releaseSocket } from '../../../src/adapters/node/upgrades.js'
import { GatedSocket, makeGateable } from '../../../src/adapters/ws/gated-socket.js'
import { plain } from '../../../src/dialects/plain.js'
import { nextTurn } from '../../support/deferred.js'
import { verifyGood } from '../../support/guard.js'
import { handshake } from '../../support/handshake.js'
import { held } from '../../support/held.js'

/** An emitter throws an error that nobody listens for, which would end the process. */
const reset = (emitter: EventEmitter) => emitter.emit('error', new Error('reset'))

/** The bare class of ws, whose sockets remember what they send. */
class FakeWebSocket extends WebSocket {
  readonly sent: unknown[] = []
  override send(data: unknown): void {
    this.sent.push(data)
  }
}

/** A socket that a gate can be set before. */
function gateable(): FakeWebSocket {
  const server = new WebSocketServer({ noServer: true, WebSocket: FakeWebSocket })
  makeGateable(server)
  return Reflect.construct(server.options.WebSocket!, [null, undefined, {}])
}

function upgrade(target: string) {
  const server = createServer()
  claimUpgrades(server, testClock(), {
    path: '/ws',
    onUpgrade: async () => {},
    refuse: () => expect.unreachable(),
  })
  const socket = new PassThrough()
  expect(() => reset(socket)).toThrow('reset')
  const request = { url: target, socket } as unknown as IncomingMessage
  server.emit('upgrade', request, socket, Buffer.alloc(0))
  return socket
}

describe('a peer that resets its connection', () => {
  it.each(['/ws', '/none'])('ends no process by an upgrade to %s', (target) => {
    const socket = upgrade(target)
    expect(() => reset(socket)).not.toThrow()
  })

  it('is left to whoever takes the socket', () => {
    const socket = upgrade('/ws')
    releaseSocket(socket)
    expect(() => reset(socket)).toThrow('reset')
  })

  it('ends no process by a frame that breaks the protocol', () => {
    const webSocket = gateable()
    expect(() => reset(webSocket)).toThrow('reset')
    new GatedSocket(webSocket, new PassThrough(), plain)
    expect(() => reset(webSocket)).not.toThrow()
  })
})

describe('a peer that goes on sending', () => {
  it('is read when it is refused, so that it gets to see why', () => {
    // Who is not refused is left to whoever takes the upgrade.
    expect(upgrade('/ws').readableFlowing).toBeNull()
    expect(upgrade('/none').readableFlowing).toBe(true)
  })
})

describe('a peer that leaves while it is decided', () => {
  it('gives its place back', async () => {
    const { verify, asked } = held()
    const guard = createGuard({ clock: testClock(), limits: { pendingSockets: 1 }, accept: [header({ verify })] })
    const server = createServer()
    guardServer(server, guard, { path: '/ws' }, () => {})
    const socket = new PassThrough()
    const good = handshake({ headers: [['authorization', 'Bearer good-ada']] })
    const { method, target: url, httpVersion } = good
    const request = { method, url, httpVersion, rawHeaders: good.headers.flat(), headers: {}, socket }
    server.emit('upgrade', request, socket, Buffer.alloc(0))
    await asked
    expect(guard.enter(good)).toMatchObject({ reason: 'pending' })
    socket.destroy()
    await nextTurn()
    expect(guard.enter(good)).toHaveProperty('leave')
  })
})

describe('a gate', () => {
  const gate = () => {
    const webSocket = gateable()
    return { webSocket, gated: new GatedSocket(webSocket, new PassThrough(), plain) }
  }

  it('lets no message through once it is shut, whoever asks for them', () => {
    const { webSocket, gated } = gate()
    const received: unknown[] = []
    const receiver = { receive: (message: unknown) => received.push(message) }
    const message = () => webSocket.emit('message', Buffer.from('x'), false)
    gated.onMessage(receiver)
    message()
    expect(received).toHaveLength(1)
    gated.shut()
    message()
    gated.onMessage(receiver)
    message()
    expect(received).toHaveLength(1)
  })

  it('gives the application what is delivered, and tells it of all else', () => {
    const { webSocket, gated } = gate()
    const heard: unknown[] = []
    webSocket.on('message', (data, isBinary) => heard.push(['message', `${data}`, isBinary]))
    webSocket.on('pong', (data) => heard.push(['pong', `${data}`]))
    webSocket.emit('message', Buffer.from('x'), false)
    webSocket.emit('pong', Buffer.from('y'))
    gated.deliver([Buffer.from('z'), true])
    expect(heard).toEqual([
      ['pong', 'y'],
      ['message', 'z', true],
    ])
  })

  it('tells whoever asked last that the socket is closed', () => {
    const { webSocket, gated } = gate()
    const told: string[] = []
    gated.onClose({ closed: () => told.push('first') })
    gated.onClose({ closed: () => told.push('second') })
    expect(told).toEqual([])
    webSocket.emit('close')
    expect(told).toEqual(['second'])
  })

  it('tells at once that the socket was closed before', () => {
    const { gated } = gate()
    const told: string[] = []
    gated.onClose({ closed: () => told.push('open') })
    expect(told).toEqual([])
    const closed = gate()
    Object.defineProperty(closed.webSocket, 'readyState', { value: WebSocket.CLOSED })
    closed.gated.onClose({ closed: () => told.push('closed') })
    expect(told).toEqual(['closed'])
  })

  it('asks before each message that the application sends, and looks after it', () => {
    const { webSocket, gated } = gate()
    const asked: string[] = []
    webSocket.send('unasked')
    gated.sends = { beforeSend: () => asked.push('before'), afterSend: () => asked.push('after') }
    webSocket.send('one')
    webSocket.send('two')
    expect(asked).toEqual(['before', 'after', 'before', 'after'])
    expect(webSocket.sent).toEqual(['unasked', 'one', 'two'])
  })
})

describe('a server whose sockets can be gated', () => {
  it('makes sockets of the class that it was given', () => {
    expect(gateable()).toBeInstanceOf(FakeWebSocket)
  })

  it('is made so once, however many routes it serves', () => {
    const server = new WebSocketServer({ noServer: true })
    expect(server.options.WebSocket).toBe(WebSocket)
    makeGateable(server)
    const gateableClass = server.options.WebSocket
    expect(gateableClass).not.toBe(WebSocket)
    makeGateable(server)
    expect(server.options.WebSocket).toBe(gateableClass)
  })

  it('leaves sockets without a gate as they were', () => {
    const webSocket = gateable()
    const heard: unknown[] = []
    webSocket.on('message', (data) => heard.push(`${data}`))
    webSocket.emit('message', Buffer.from('x'), false)
    webSocket.send('y')
    expect(heard).toEqual(['x'])
    expect(webSocket.sent).toEqual(['y'])
  })
})

describe('an application', () => {
  const headers = { Authorization: 'Bearer good-ada' }
  const accept = [header({ verify: verifyGood }), firstMessage({ verify: verifyGood })] as const

  /** Answers each message with itself. */
  const echo = (webSocket: WebSocket) => {
    webSocket.on('message', (data) => webSocket.send(`${data}`))
  }

  it('sees no credential that renews a connection, and all else', async () => {
    const clock = testClock()
    const client = await testServer(createGuard({ clock, accept }), echo, { clock }).connect()
    const auth = JSON.stringify({ type: 'auth', token: 'good-ada' })
    client.send(auth)
    expect(await client.receive()).toContain('auth_ok')
    client.send(auth)
    client.send('hello')
    const received = [await client.receive(), await client.receive()]
    expect(received).toContain('hello')
    expect(received.some((message) => message.includes('auth_ok'))).toBe(true)
    client.dropNetwork()
  })

  it('sees no message that was denied', async () => {
    const clock = testClock()
    const authorize = (_: unknown, [data]: readonly [unknown, boolean]) => `${data}` !== 'denied'
    const client = await testServer(createGuard({ clock, accept }), echo, { clock, authorize }).connect({ headers })
    client.send('denied')
    client.send('hello')
    expect(await client.receive()).toBe('hello')
    client.dropNetwork()
  })

  it('is spared who sends too many messages, whether or not it asks about each', async () => {
    const clock = testClock()
    for (const authorize of [undefined, () => true]) {
      const options = { clock, messagesPerSecond: 1, ...(authorize && { authorize }) }
      const client = await testServer(createGuard({ clock, accept }), echo, options).connect({ headers })
      client.send('one')
      expect(await client.receive()).toBe('one')
      client.send('two')
      expect((await client.closed).code).toBe(4029)
    }
  })

  it('hears nothing from a connection that has ended, though no timer has run', async () => {
    const clock = testClock(Date.UTC(2026, 0, 1) + 500)
    const guard = createGuard({ clock, accept, life: { leeway: 0 } })
    const heard: string[] = []
    // It answers nothing, because the answer would be stopped as well.
    const listen = (webSocket: WebSocket) => {
      webSocket.on('message', (data) => heard.push(`${data}`))
    }
    const client = await testServer(guard, listen, { clock }).connect({ headers })
    clock.advance(59_999)
    client.send('in time')
    await vi.waitFor(() => expect(heard).toEqual(['in time']))
    clock.advance(1)
    expect(guard.connections.size).toBe(1)
    client.send('late')
    expect((await client.closed).code).toBe(4019)
    expect(heard).toEqual(['in time'])
  })

  it('sends nothing to a connection that has ended, though no timer has run', async () => {
    // Its end falls into the middle of a second, at whose end the timer is.
    const clock = testClock(Date.UTC(2026, 0, 1) + 500)
    let webSocket: WebSocket | undefined
    const guard = createGuard({ clock, accept, life: { leeway: 0 } })
    const server = testServer(
      guard,
      (socket) => {
        webSocket = socket
      },
      { clock },
    )
    const client = await server.connect({ headers })
    clock.advance(59_999)
    webSocket?.send('in time')
    expect(await client.receive()).toBe('in time')
    clock.advance(1)
    expect(guard.connections.size).toBe(1)
    webSocket?.send('late')
    expect((await client.closed).code).toBe(4019)
    await expect(client.receive()).rejects.toThrow()
  })
})
