import { type EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { stomp } from '@sallyport/server'
import type { Client, StompConfig } from '@stomp/stompjs'
import { describe, expect, it } from 'vitest'
import { hear, openStomp, protocols } from '../support/stomp-client.js'
import { speaking } from './speaking.js'

/** What we use of a broker that comes without types. */
interface Broker extends EventEmitter {
  readonly socket: { emit(event: 'connection', socket: unknown): boolean }
}
const StompServer: new (options: object) => Broker = createRequire(import.meta.url)('stomp-broker-js')

/** A broker, and the headers of the CONNECT frames that it gets to see. */
async function start() {
  const broker = new StompServer({ server: createServer() })
  const seen: Record<string, string>[] = []
  broker.on('connected', (_session, headers) => seen.push(headers))
  const server = await speaking(
    stomp,
    (webSocketServer) => webSocketServer.on('connection', (socket) => broker.socket.emit('connection', socket)),
    { protocols },
  )
  return { ...server, broker, seen }
}

async function publish(broker: Broker, sender: Client, receiver: Client): Promise<string> {
  const subscribed = once(broker, 'subscribe')
  const heard = hear(receiver, '/news')
  await subscribed
  sender.publish({ destination: '/news', body: 'hello' })
  return heard
}

describe('the client of STOMP, with its credential in CONNECT', () => {
  it.each<[string, Partial<StompConfig>]>([
    ['in one message', {}],
    ['in pieces', { splitLargeFrames: true, maxWebSocketChunkSize: 7 }],
    ['in binary messages', { forceBinaryWSFrames: true }],
  ])('is accepted %s; the broker sees its other headers alone', async (_, more) => {
    const { url, token, seen, told, broker } = await start()
    const [ada, other] = [openStomp(url, token, more), openStomp(url, token)]
    await Promise.all([ada.connected, other.connected])
    // The broker itself takes whole frames alone.
    if (!more.splitLargeFrames) expect(await publish(broker, ada.client, other.client)).toBe('hello')
    expect(seen).toHaveLength(2)
    for (const headers of seen) expect(headers).toMatchObject({ login: 'ada', 'heart-beat': '10000,10000' })
    for (const headers of seen) expect(headers).not.toHaveProperty('passcode')
    expect(told).toEqual(['accepted', 'accepted'])
  })

  it('is refused by an ERROR frame and a Close, and stops by a line of the application', async () => {
    const { url, seen, told } = await start()
    const { stopped, errors, closed, asked } = openStomp(url, () => 'bad')
    await stopped
    expect(errors).toEqual(['Authentication failed'])
    expect(closed).toEqual([4001])
    expect(asked()).toBe(1)
    expect(seen).toEqual([])
    expect(told).toEqual(['credential-unknown'])
  })

  it('comes again without that line', async () => {
    const { url, told, next } = await start()
    const { asked } = openStomp(url, () => 'bad', { onWebSocketClose() {} })
    await next('credential-unknown')
    await next('credential-unknown')
    expect(asked()).toBeGreaterThan(1)
    expect(told).not.toContain('accepted')
  })

  it('is renewed over HTTP', async () => {
    const { url, token, told, clock, renew, broker } = await start()
    const [ada, other] = [openStomp(url, token), openStomp(url, token)]
    await Promise.all([ada.connected, other.connected])
    clock.advance(50_000)
    expect(await renew()).toBe(200)
    clock.advance(50_000)
    expect(await publish(broker, ada.client, other.client)).toBe('hello')
    expect(told).toEqual(['accepted', 'accepted', 'renewed', 'renewed'])
    expect([...ada.closed, ...other.closed]).toEqual([])
  })

  it('comes again with another credential when its own has ended', async () => {
    const { url, token, told, next, expire } = await start()
    const { connected, closed, asked } = openStomp(url, token)
    await connected
    const again = next('accepted')
    expire()
    await again
    expect(closed).toEqual([4019])
    expect(asked()).toBe(2)
    expect(told).toEqual(['accepted', 'expired', 'accepted'])
  })

  it('stops by the same line when it is revoked', async () => {
    const { url, token, guard, told } = await start()
    const { connected, stopped, closed, asked } = openStomp(url, token)
    await connected
    await guard.revoke({ user: 'ada' })
    await stopped
    expect(closed).toEqual([4010])
    expect(asked()).toBe(1)
    expect(told).toEqual(['accepted', 'revoked'])
  })
})
