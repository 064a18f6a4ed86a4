import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { claimUpgrades, type UpgradeRoute } from '../../../src/adapters/node/upgrades.js'
import { refuse } from '../../../src/verdict.js'
import { testClock } from '../../support/clock.js'
import { nextTurn } from '../../support/deferred.js'
import { RawClient, rawHandshake } from '../../support/raw.js'

/** A socket that remembers what was written to it. */
class FakeSocket extends Duplex {
  written = ''
  constructor(public bytesWritten = 0) {
    super()
  }
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.written += chunk
    done()
  }
}

/** A route that takes its upgrades, and cannot fail. */
const routeOf = (path: UpgradeRoute['path'], onUpgrade: (request: IncomingMessage) => unknown): UpgradeRoute => ({
  path,
  onUpgrade: async (request) => void onUpgrade(request),
  refuse: (_, reason) => refuse(reason),
})

type OnUpgrade = (request: IncomingMessage, socket: FakeSocket) => void

/** A server whose `/ws` is claimed, and what its upgrades become. */
function start() {
  const clock = testClock()
  const server = createServer()
  const claimed: string[] = []
  const leave = claimUpgrades(
    server,
    clock,
    routeOf('/ws', ({ url = '' }) => claimed.push(url)),
  )
  /** An upgrade as Node.js tells of it: the socket, and what was written to it. */
  const upgrade = (url: string, socket = new FakeSocket()) => {
    const request = { url, socket } as unknown as IncomingMessage
    server.emit('upgrade', request, socket, Buffer.alloc(0))
    return socket
  }
  const listen = (listener: OnUpgrade) => server.on('upgrade', listener)
  return { clock, server, claimed, leave, upgrade, listen }
}

const refusal = /^HTTP\/1\.1 404 /

describe('an upgrade that is left to others', () => {
  it('gets 404 after a second when nobody touches it', () => {
    const { clock, upgrade, listen } = start()
    listen(() => {})
    const socket = upgrade('/none')
    clock.advance(999)
    expect(socket.writableEnded).toBe(false)
    clock.advance(1)
    expect(socket.written).toMatch(refusal)
    expect(socket.writableEnded).toBe(true)
  })

  it('gets 404 after ten when somebody listens on it, and does nothing', () => {
    const { clock, upgrade, listen } = start()
    listen((_, socket) => socket.on('error', () => {}))
    const socket = upgrade('/none')
    clock.advance(9_999)
    expect(socket.writableEnded).toBe(false)
    clock.advance(1)
    expect(socket.written).toMatch(refusal)
  })

  it.each<[string, OnUpgrade]>([
    ['writes to', (_, socket) => Object.assign(socket, { bytesWritten: 101 })],
    ['reads from', (_, socket) => socket.on('data', () => {})],
    ['waits for bytes of', (_, socket) => socket.on('readable', () => {})],
    ['ends', (_, socket) => socket.end('HTTP/1.1 426 Upgrade Required\r\n\r\n')],
    ['destroys', (_, socket) => socket.destroy()],
  ])('is theirs when somebody %s it', async (_, take) => {
    const { clock, upgrade, listen } = start()
    const socket = new FakeSocket(100)
    listen(take)
    upgrade('/theirs', socket)
    await nextTurn()
    clock.advance(60_000)
    expect(socket.written).not.toMatch(refusal)
    expect(clock.pending).toBe(0)
  })

  it('does not count what was written before it', () => {
    const { clock, upgrade, listen } = start()
    listen(() => {})
    const socket = upgrade('/none', new FakeSocket(100))
    clock.advance(1_000)
    expect(socket.written).toMatch(refusal)
  })

  it('leaves no timer when the peer goes', async () => {
    const { clock, upgrade, listen } = start()
    listen((_, socket) => socket.on('error', () => {}))
    const [untouched, touched] = [upgrade('/none'), upgrade('/none')]
    untouched.destroy()
    clock.advance(1_000)
    touched.destroy()
    await nextTurn()
    expect(clock.pending).toBe(0)
  })

  it('goes to a guard, which refuses it and tells of it, when its target is no path', () => {
    const { clock, claimed, upgrade, listen } = start()
    listen(() => {})
    const [malformed, unknown] = [upgrade('/a/../none'), upgrade('/none')]
    expect(claimed).toEqual([])
    clock.advance(1_000)
    expect(claimed).toEqual(['/a/../none'])
    expect(malformed.written).toBe('')
    expect(unknown.written).toMatch(refusal)
  })
})

describe('the listeners of a server', () => {
  it('do not see an upgrade that is ours, whoever came first', () => {
    const { server, leave, claimed, upgrade } = start()
    leave()
    const heard: string[] = []
    server.on('upgrade', ({ url }) => heard.push(`before ${url}`))
    claimUpgrades(
      server,
      testClock(),
      routeOf('/ws', ({ url = '' }) => claimed.push(url)),
    )
    server.on('upgrade', ({ url }) => heard.push(`after ${url}`))
    server.prependListener('upgrade', ({ url }) => heard.push(`in front ${url}`))
    for (const url of ['/ws', '/ws?a', '/theirs']) upgrade(url)
    expect(claimed).toEqual(['/ws', '/ws?a'])
    expect(heard).toEqual(['in front /theirs', 'before /theirs', 'after /theirs'])
  })

  it('are alone when they are asked how many they are', () => {
    const { server, leave, listen } = start()
    expect(server.listenerCount('upgrade')).toBe(1)
    const other = () => {}
    listen(other)
    expect(server.listeners('upgrade')).toEqual([other])
    leave()
    expect(server.listeners('upgrade')).toEqual([other])
    expect(server.eventNames().filter((name) => /Listener/.test(String(name)))).toEqual([])
  })

  it.each([
    ['one by one', (server: Server, other: OnUpgrade) => server.off('upgrade', other)],
    ['all at once', (server: Server) => server.removeAllListeners('upgrade')],
  ])('may be taken off %s, and upgrades still come', async (_, takeOff) => {
    const { server, listen, claimed } = start()
    const other = () => {}
    listen(other)
    takeOff(server, other)
    takeOff(server, other)
    await nextTurn()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const connected = once(server, 'connection')
    const client = await RawClient.connect((server.address() as AddressInfo).port)
    const [socket] = (await connected) as [Socket]
    onTestFinished(() => {
      socket.destroy()
      server.close()
    })
    client.write(rawHandshake('/ws'))
    while (claimed.length === 0) await nextTurn()
    expect(claimed).toEqual(['/ws'])
  })

  it('are what they were when the path is given back twice, though another route is left', () => {
    const { server, leave, upgrade, claimed } = start()
    const other: string[] = []
    claimUpgrades(
      server,
      testClock(),
      routeOf('/other', () => {}),
    )
    leave()
    claimUpgrades(
      server,
      testClock(),
      routeOf('/ws', ({ url = '' }) => other.push(url)),
    )
    leave()
    upgrade('/ws')
    expect([claimed, other]).toEqual([[], ['/ws']])
  })
})
