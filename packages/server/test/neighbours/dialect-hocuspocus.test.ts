import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import { Hocuspocus } from '@hocuspocus/server'
import { hocuspocus } from '@sallyport/server'
import { connectionOf } from '@sallyport/server/ws'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { deferred } from '../support/deferred.js'
import { speaking } from './speaking.js'

/** A server of Hocuspocus, and the tokens that its hooks get to see. */
async function start() {
  const seen: string[] = []
  const collaboration = new Hocuspocus({
    quiet: true,
    async onAuthenticate({ token, documentName, context }) {
      seen.push(`${documentName} of ${context.user} by ${JSON.stringify(token)}`)
      if (documentName === 'secret') throw new Error('not theirs')
    },
    async onTokenSync({ token, documentName }) {
      seen.push(`${documentName} again by ${JSON.stringify(token)}`)
    },
  })
  const server = await speaking(hocuspocus, (webSocketServer, guard) =>
    webSocketServer.on('connection', (socket, request) =>
      collaboration.handleConnection(socket, request, { user: connectionOf(guard, socket).identity.id }),
    ),
  )
  return { ...server, seen }
}

/** Its own client: one socket. It reads no close code, so that a line of the application has to stop it. */
function open(url: string, { stops = true } = {}) {
  const stopped = deferred()
  const closed: number[] = []
  let opened = 0
  class Counting extends WebSocket {
    constructor(address: string) {
      super(address)
      opened += 1
    }
  }
  const socket = new HocuspocusProviderWebsocket({
    url,
    WebSocketPolyfill: Counting,
    delay: 1,
    minDelay: 1,
    maxDelay: 1,
    jitter: false,
    onClose({ event }) {
      closed.push(event.code)
      if (!stops || ![4401, 4403, 4009, 4010].includes(event.code)) return
      socket.disconnect()
      stopped.resolve()
    },
  })
  onTestFinished(() => socket.destroy())
  const document = (name: string, token: () => string) => {
    const [synced, denied] = [deferred(), deferred<string>()]
    const provider = new HocuspocusProvider({
      websocketProvider: socket,
      name,
      token: async () => token(),
      onSynced: () => synced.resolve(),
      onAuthenticationFailed: ({ reason }) => denied.resolve(reason),
    })
    onTestFinished(() => provider.destroy())
    provider.attach()
    return { provider, synced: synced.promise, denied: denied.promise }
  }
  return { document, stopped: stopped.promise, closed, opened: () => opened }
}

describe('the client of Hocuspocus, with its credential in the first document’s message', () => {
  it('is accepted; each document is the application’s to permit, who sees no token', async () => {
    const { url, token, seen, told } = await start()
    const client = open(url)
    const documents = ['plans', 'notes', 'secret'].map((name) => client.document(name, token))
    await Promise.all([documents[0]!.synced, documents[1]!.synced])
    expect(await documents[2]!.denied).toBe('permission-denied')
    expect(seen).toEqual(['plans of ada by ""', 'notes of ada by ""', 'secret of ada by ""'])
    expect(told).toEqual(['accepted', 'renewed', 'renewed'])
    expect(client.opened()).toBe(1)
  })

  it('carries what is written', async () => {
    const { url, token } = await start()
    const [one, other] = [open(url), open(url)]
    const [here, there] = [one.document('plans', token), other.document('plans', token)]
    await Promise.all([here.synced, there.synced])
    const text = there.provider.document.getText('text')
    const seen = new Promise((resolve) => text.observe(resolve))
    here.provider.document.getText('text').insert(0, 'hello')
    await seen
    expect(text.toString()).toBe('hello')
  })

  it('is refused by its own message and a Close, and stops by a line of the application', async () => {
    const { url, seen, told } = await start()
    const client = open(url)
    const { denied } = client.document('plans', () => 'bad')
    expect(await denied).toBe('permission-denied')
    await client.stopped
    expect(client.closed).toEqual([4401])
    expect(client.opened()).toBe(1)
    expect(seen).toEqual([])
    expect(told).toEqual(['credential-unknown'])
  })

  it('comes again without that line', async () => {
    const { url, told, next } = await start()
    const client = open(url, { stops: false })
    client.document('plans', () => 'bad')
    await next('credential-unknown')
    await next('credential-unknown')
    expect(client.opened()).toBeGreaterThan(1)
    expect(told).not.toContain('accepted')
  })

  it('keeps its socket when the token of a further document is bad', async () => {
    const { url, token, seen, told, guard } = await start()
    const client = open(url)
    await client.document('plans', token).synced
    expect(await client.document('notes', () => 'bad').denied).toBe('permission-denied')
    expect(seen).toEqual(['plans of ada by ""'])
    expect(told).toEqual(['accepted', 'credential-unknown'])
    expect(guard.connections.size).toBe(1)
  })

  it('F07 loses it when that token is of somebody else', async () => {
    const { url, token, seen, clock } = await start()
    const client = open(url)
    await client.document('plans', token).synced
    client.document('notes', () => `token-eve-${clock.now()}`)
    await client.stopped
    expect(client.closed).toEqual([4403])
    expect(seen).toEqual(['plans of ada by ""'])
  })

  it('is asked for its token again before it ends, and renewed by it', async () => {
    const { url, token, seen, told, clock, next, guard } = await start()
    const client = open(url)
    await client.document('plans', token).synced
    const renewed = next('renewed')
    clock.advance(59_000)
    await renewed
    expect([...guard.connections].map(({ expiresAt }) => expiresAt)).toEqual([clock.now() + 60_000])
    // Before half of its time it is not asked once more.
    clock.advance(29_000)
    expect(told).toEqual(['accepted', 'renewed'])
    await expect.poll(() => seen).toEqual(['plans of ada by ""', 'plans again by ""'])
    expect(client.closed).toEqual([])
  })

  it('comes again with another token when its own has ended', async () => {
    const { url, token, told, next, expire } = await start()
    const client = open(url)
    await client.document('plans', token).synced
    const again = next('accepted')
    expire()
    await again
    expect(client.closed).toEqual([4019])
    expect(told).toEqual(['accepted', 'expired', 'accepted'])
  })

  it('stops by the same line when it is revoked', async () => {
    const { url, token, told, guard } = await start()
    const client = open(url)
    await client.document('plans', token).synced
    await guard.revoke({ user: 'ada' })
    await client.stopped
    expect(client.closed).toEqual([4010])
    expect(client.opened()).toBe(1)
    expect(told).toEqual(['accepted', 'revoked'])
  })
})
