import { EventEmitter } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { createGuard, firstMessage, header } from '@sallyport/server'
import { testClock, testServer } from '@sallyport/server/testing'
import { guardServer } from '@sallyport/server/ws'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import { GatedSocket } from '../../src/node/gated-socket.js'
import { claimUpgrades } from '../../src/node/upgrades.js'
import { nextTurn } from '../support/deferred.js'
import { verifyGood } from '../support/guard.js'
import { handshake } from '../support/handshake.js'
import { held } from '../support/held.js'

/** An emitter throws an error that nobody listens for, which would end the process. */
const reset = (emitter: EventEmitter) => emitter.emit('error', new Error('reset'))

function upgrade(target: string) {
  const server = createServer()
  claimUpgrades(server, testClock(), '/ws', async () => {})
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

  it('ends no process by a frame that breaks the protocol', () => {
    const webSocket = new EventEmitter()
    expect(() => reset(webSocket)).toThrow('reset')
    new GatedSocket(webSocket as unknown as WebSocket)
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
  class FakeWebSocket extends EventEmitter {
    readonly sent: string[] = []
    send(text: string): void {
      this.sent.push(text)
    }
  }
  const gate = () => {
    const webSocket = new FakeWebSocket()
    return { webSocket, gated: new GatedSocket(webSocket as unknown as WebSocket) }
  }

  it('lets no message through once it is shut, whoever asks for them', () => {
    const { webSocket, gated } = gate()
    const received: unknown[] = []
    const message = () => webSocket.emit('message', Buffer.from('x'), false)
    gated.onMessage((taken) => received.push(taken))
    message()
    expect(received).toHaveLength(1)
    gated.shut()
    message()
    gated.onMessage((taken) => received.push(taken))
    message()
    expect(received).toHaveLength(1)
  })

  it('asks before each message that the application sends', () => {
    const { webSocket, gated } = gate()
    let asked = 0
    webSocket.send('unasked')
    expect(asked).toBe(0)
    const isOpen = () => {
      asked += 1
      return true
    }
    gated.guardSends({ isOpen, maxBufferedBytes: 0, onFull: () => {} })
    webSocket.send('one')
    webSocket.send('two')
    expect(asked).toBe(2)
    expect(webSocket.sent).toEqual(['unasked', 'one', 'two'])
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
