import { once } from 'node:events'
import type { Identity } from '@sallyport/server'
import type { ConnectionHandler } from '@sallyport/server/ws'
import { describe, expect, it } from 'vitest'
import { createWebSocketStream, type WebSocket } from 'ws'
import { deferred, nextTurn } from '../support/deferred.js'
import { authFrame, credentialOf, live, sendAuth, settled } from '../support/live.js'

const kibibyte = 1_024

describe('G24 a socket that the guard has paused', () => {
  /** A connection whose messages wait for permission, more of them than may: the guard does not read from it. */
  async function paused(onConnection?: ConnectionHandler<Identity>) {
    const released = deferred<boolean>()
    const sockets: WebSocket[] = []
    const set = live({
      server: { authorize: () => released.promise },
      onConnection: (socket, connection, ...rest) => {
        sockets.push(socket)
        onConnection?.(socket, connection, ...rest)
      },
    })
    const client = await set.connect()
    for (let i = 0; i < 100; i++) client.send(`${i} ${'x'.repeat(kibibyte)}`)
    const socket = sockets[0]!
    while (!socket.isPaused) await nextTurn()
    return { ...set, client, socket, released }
  }

  it('G24 is not opened by the application', async () => {
    const { socket, released } = await paused((socket) => socket.on('message', () => {}))
    socket.resume()
    expect(socket.isPaused).toBe(true)
    released.resolve(true)
    while (socket.isPaused) await nextTurn()
  })

  it('G24 nor by a stream that reads from it', async () => {
    const read: string[] = []
    const { socket, released, client } = await paused((socket) => {
      createWebSocketStream(socket, { encoding: 'utf8' }).on('data', (text: string) => read.push(text.split(' ')[0]!))
    })
    expect(socket.isPaused).toBe(true)
    expect(read).toEqual([])
    released.resolve(true)
    await settled(client)
    while (read.length < 100) await nextTurn()
    expect(read).toEqual(Array.from({ length: 100 }, (_, i) => String(i)))
  })

  it('G24 stays paused when the application wants it so, until it wants it no more', async () => {
    const received: string[] = []
    const { socket, released } = await paused((socket) => socket.on('message', (data) => received.push(String(data))))
    socket.pause()
    released.resolve(true)
    // What had come is delivered, and the rest waits at its peer.
    for (let turn = 0; turn < 200; turn++) await nextTurn()
    expect(socket.isPaused).toBe(true)
    expect(received.length).toBeLessThan(100)
    socket.resume()
    expect(socket.isPaused).toBe(false)
    while (received.length < 100) await nextTurn()
  })

  it('G24 is read when it is over, whoever has paused it, so that the peer may answer', async () => {
    const { socket, client, guard } = await paused((socket) => socket.pause())
    await guard.revoke({ user: 'ada' })
    expect((await client.closed).code).toBe(4010)
    socket.pause()
    expect(socket.isPaused).toBe(false)
  })
})

describe('G25 messages that wait for the application', () => {
  const binaryTypes = ['nodebuffer', 'arraybuffer', 'fragments', 'blob'] as const

  it.each(binaryTypes)('G25 are bounded by their bytes: %s', async (binaryType) => {
    const ready = deferred()
    const received: unknown[] = []
    const sockets: WebSocket[] = []
    const { connect } = live({
      onConnection: async (socket) => {
        sockets.push(socket)
        socket.binaryType = binaryType as WebSocket['binaryType']
        await ready.promise
        socket.on('message', (data) => received.push(data))
      },
    })
    const client = await connect()
    const socket = sockets[0]!
    const message = Buffer.alloc(24 * kibibyte)
    for (let i = 0; i < 2; i++) client.send(message)
    await settled(client)
    expect(socket.isPaused).toBe(false)
    for (let i = 0; i < 8; i++) client.send(message)
    while (!socket.isPaused) await nextTurn()
    ready.resolve()
    while (received.length < 10) await nextTurn()
    expect(socket.isPaused).toBe(false)
  })

  it('G25 and by their count', async () => {
    const ready = deferred()
    const sockets: WebSocket[] = []
    let received = 0
    const { connect } = live({
      onConnection: async (socket) => {
        sockets.push(socket)
        await ready.promise
        socket.on('message', () => received++)
      },
    })
    const client = await connect()
    for (let i = 0; i < 31; i++) client.send('')
    await settled(client)
    expect(sockets[0]?.isPaused).toBe(false)
    client.send('')
    while (!sockets[0]?.isPaused) await nextTurn()
    ready.resolve()
    while (received < 32) await nextTurn()
    expect(sockets[0]?.isPaused).toBe(false)
  })
})

describe('G26 frames of the guard', () => {
  it('G26 count among the messages of a second', async () => {
    const { server, events, seen } = live({ server: { messagesPerSecond: 5 } })
    const client = await server.connect()
    expect(await sendAuth(client, credentialOf())).toMatchObject({ type: 'auth_ok' })
    for (let i = 0; i < 5; i++) client.send(authFrame('bad'))
    await settled(client)
    expect(client.socket.readyState).toBe(client.socket.OPEN)
    const closed = once(client.socket, 'close')
    client.send(authFrame('bad'))
    expect((await closed)[0]).toBe(4029)
    expect(events).toContainEqual(expect.objectContaining({ type: 'ended', code: 'limited' }))
    expect(seen).toEqual(['handler ada'])
  })
})
