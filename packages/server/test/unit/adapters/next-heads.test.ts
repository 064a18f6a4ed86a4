import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { limitNextHeads } from '../../../src/adapters/node/next-heads.js'
import { testClock } from '../../support/clock.js'
import { nextTurn } from '../../support/deferred.js'
import { RawClient } from '../../support/raw.js'

const head = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

/** A server that keeps idle connections for a minute, and whose later heads have ten seconds. */
async function start(listener: RequestListener = (_, response) => response.end('served')) {
  const clock = testClock()
  const server = createServer({ keepAliveTimeout: 60_000 }, listener)
  const stop = limitNextHeads(server, clock, 10_000)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connected = once(server, 'connection')
  const client = await RawClient.connect((server.address() as AddressInfo).port)
  const [socket] = (await connected) as [Socket]
  onTestFinished(() => {
    socket.destroy()
    server.close()
  })
  /** Sends something, and waits until the server has read it. */
  const send = async (data: string) => {
    const { bytesRead } = socket
    client.write(data)
    while (socket.bytesRead < bytesRead + data.length) await nextTurn()
  }
  /** Waits until so many requests were answered. */
  const served = async (count: number) => {
    await client.until((received) => received.toString().split('served').length > count)
    await nextTurn()
  }
  return { clock, client, server, socket, send, served, stop }
}

describe('limitNextHeads', () => {
  it('ends a connection whose second head is too slow, however busily it drips', async () => {
    const { clock, client, socket, send, served } = await start()
    await send(head)
    await served(1)
    await send('GET / HTTP/1.1\r\n')
    for (let i = 0; i < 9; i++) {
      clock.advance(1_000)
      expect(socket.writableEnded).toBe(false)
      await send(`X-${i}: x\r\n`)
    }
    clock.advance(1_000)
    expect((await client.toEnd()).text).toMatch(/served.*HTTP\/1\.1 408 Request Timeout/s)
    expect(clock.pending).toBe(0)
  })

  it('gives it ten seconds from its first byte on, however long the connection was idle', async () => {
    const { clock, socket, send, served } = await start()
    await send(head)
    await served(1)
    clock.advance(59_000)
    await send('GET / HTTP/1.1\r\n')
    clock.advance(9_000)
    expect(socket.writableEnded).toBe(false)
    await send('Host: a\r\n\r\n')
    await served(2)
    clock.advance(59_000)
    expect(socket.writableEnded).toBe(false)
  })

  it('lets a later request be served as long as it takes', async () => {
    let answer = () => {}
    let requests = 0
    const { clock, client, socket, send, served } = await start((_, response) => {
      requests += 1
      if (requests === 1) response.end('served')
      else answer = () => response.end('served')
    })
    await send(head)
    await served(1)
    await send(head)
    while (requests < 2) await nextTurn()
    expect(clock.pending).toBe(0)
    clock.advance(60_000)
    expect(socket.writableEnded).toBe(false)
    answer()
    await served(2)
    client.destroy()
  })

  it('takes no body for a head, even when the answer was quicker', async () => {
    const { clock, socket, send, served } = await start((request, response) => {
      response.end('served')
      request.resume()
    })
    await send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n')
    await served(1)
    await send('bod')
    clock.advance(30_000)
    expect(socket.writableEnded).toBe(false)
    await send('y')
    await nextTurn()
    await send('G')
    clock.advance(10_000)
    expect(socket.writableEnded).toBe(true)
  })

  it('takes no body for a head, when its request came before the one in front was answered', async () => {
    const answers: (() => void)[] = []
    const { clock, socket, send, served } = await start((_, response) => {
      answers.push(() => response.end('served'))
    })
    await send(`${head}POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n`)
    answers[0]?.()
    await served(1)
    await send('bod')
    clock.advance(30_000)
    expect(socket.writableEnded).toBe(false)
    await send('y')
    answers[1]?.()
    await served(2)
    await send('G')
    clock.advance(10_000)
    expect(socket.writableEnded).toBe(true)
  })

  it('leaves a connection that has become something else, though a request before that is answered late', async () => {
    let answer = () => {}
    const { clock, server, socket, send, served } = await start((_, response) => {
      answer = () => response.end('served')
    })
    const upgraded = once(server, 'upgrade')
    await send(`${head}GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
    await upgraded
    socket.resume()
    answer()
    await served(1)
    await send('frame')
    clock.advance(30_000)
    expect(socket.writableEnded).toBe(false)
    expect(clock.pending).toBe(0)
  })

  it('has no timer for those that have left, or that are served', async () => {
    const { clock, client, socket, send, served } = await start()
    await send(head)
    await served(1)
    expect(clock.pending).toBe(1)
    client.destroy()
    await once(socket, 'close')
    expect(clock.pending).toBe(0)
  })

  it.each(['before', 'while'])('leaves a connection alone when the watch has stopped %s it is served', async (when) => {
    const { clock, socket, send, served, stop } = await start((_, response) => {
      if (when === 'while') stop()
      response.end('served')
    })
    if (when === 'before') stop()
    await send(head)
    await served(1)
    expect(clock.pending).toBe(0)
    await send('G')
    clock.advance(60_000)
    expect(socket.writableEnded).toBe(false)
  })
})
