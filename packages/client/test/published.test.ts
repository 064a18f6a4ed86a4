// What the published suites of reconnecting-websocket 4.4.0 and partysocket 1.3.0 ask of a socket, in our own words, before
// a guarded server; above each test the names that theirs have.
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import {
  cookie,
  GuardedSocket,
  type GuardedSocketEventMap,
  type GuardedSocketOptions,
  ticket,
  type UrlSource,
} from '@sallyport/client'
import { createGuard, type Identity } from '@sallyport/server'
import type { ConnectionHandler } from '@sallyport/server/ws'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { allMethods } from '../../server/test/support/guard.js'
import { echo, startServer } from '../../server/test/support/server.js'
import { FakeClock } from './fakes.js'

/** Nobody listens there. */
const nowhere = 'ws://127.0.0.1:1/ws'

function connect(url: UrlSource, options: Partial<GuardedSocketOptions> = {}): GuardedSocket {
  const socket = new GuardedSocket(url, {
    credential: ticket('/ws/ticket', { token: () => 'good-ada' }),
    WebSocket,
    reconnect: { baseMs: 1, capMs: 1 },
    ...options,
  })
  onTestFinished(() => socket.close())
  return socket
}

/** Where a guarded server is, which echoes behind a greeting. */
async function guarded(onConnection: ConnectionHandler<Identity> = echo): Promise<string> {
  return (await startServer(createGuard(allMethods()), onConnection)).url
}

const next = <K extends keyof GuardedSocketEventMap>(socket: GuardedSocket, type: K) =>
  new Promise<GuardedSocketEventMap[K]>((resolve) => socket.addEventListener(type, resolve, { once: true }))

/** How often each of these events has come. */
function counted(socket: GuardedSocket) {
  const counts = { open: 0, close: 0, error: 0 }
  for (const type of ['open', 'close', 'error'] as const) socket.addEventListener(type, () => counts[type]++)
  return counts
}

/** The next `count` messages. */
async function heard(socket: GuardedSocket, count: number): Promise<string[]> {
  const all: string[] = []
  await new Promise<void>((resolve) => {
    socket.addEventListener('message', ({ data }) => {
      if (all.push(String(data)) === count) resolve()
    })
  })
  return all
}

// throws with invalid constructor, with missing constructor, with non-constructor object, if not created with `new`
it.each([123, {}, null])('needs a WebSocket class, which %j is not, and is a class itself', (wrong) => {
  expect(() => connect(nowhere, { WebSocket: wrong as never })).toThrow('Pass a WebSocket')
  expect(() => Reflect.apply(GuardedSocket, undefined, [nowhere, { credential: cookie() }])).toThrow(TypeError)
})

// pass WebSocket via options, websocket protocol, undefined websocket protocol, getters
it.each([
  ['app.v1', 'app.v1'],
  [['other', 'app.v1'], 'app.v1'],
  [undefined, ''],
])('offers the subprotocols %j and has %j', async (protocols, selected) => {
  const url = await guarded()
  const socket = connect(url, protocols ? { protocols } : {})
  await socket.ready
  expect(socket).toMatchObject({ url, protocol: selected, extensions: '', bufferedAmount: 0, binaryType: 'blob' })
})

// level0 event listeners are kept after reconnect, max retries, should stop retrying after maxRetries
it('keeps its handlers over every failure, and stops where a listener has counted enough of them', async () => {
  const socket = connect(nowhere)
  const handlers = { onopen() {}, onmessage() {}, onclose() {}, onerror() {} }
  Object.assign(socket, handlers)
  const counts = counted(socket)
  socket.addEventListener('reconnecting', ({ attempt }) => {
    expect(socket).toMatchObject(handlers)
    if (attempt === 5) socket.close()
  })
  await next(socket, 'close')
  expect([counts, socket.readyState]).toEqual([{ open: 0, close: 1, error: 5 }, socket.CLOSED])
})

// level2 event listeners, level2 event listeners using object with handleEvent
it('calls an object with handleEvent, and nobody who has left', async () => {
  const socket = connect(await guarded())
  const gone = { handleEvent: () => expect.unreachable() }
  socket.addEventListener('open', gone)
  socket.addEventListener('open', gone)
  socket.removeEventListener('open', gone)
  const opened = new Promise((resolve) => socket.addEventListener('open', { handleEvent: resolve }))
  expect(await opened).toMatchObject({ type: 'open' })
})

// connection timeout, handles connection timeout, immediately-failed connection should not timeout
it('gives up on a server that says nothing when its time is over, and on one that is not there at once', async () => {
  const silent = createServer()
  onTestFinished(() => void silent.close())
  await once(silent.listen(0, '127.0.0.1'), 'listening')
  const clock = new FakeClock()
  const waits = connect(`ws://127.0.0.1:${(silent.address() as AddressInfo).port}/`, { clock, credential: cookie() })
  const counts = counted(waits)
  await once(silent, 'connection')
  await clock.advance(9_999)
  expect(counts.error).toBe(0)
  await clock.advance(1)
  expect(counts.error).toBe(1)
  const { outcome } = (await next(connect(nowhere, { clock, credential: cookie() }), 'error')).error
  expect(outcome).toMatchObject({ kind: 'network', system: 'ECONNREFUSED' })
})

// binaryType, should preserve binaryType across reconnections
it('hears bytes as it was told, on every connection', async () => {
  const socket = connect(await guarded((peer) => peer.on('message', (data) => peer.send(data))))
  socket.binaryType = 'arraybuffer'
  for (let round = 0; round < 2; round++) {
    socket.send(Uint8Array.of(1, 2))
    expect((await next(socket, 'message')).data).toEqual(Uint8Array.of(1, 2).buffer)
    expect(socket.binaryType).toBe('arraybuffer')
    socket.reset()
  }
})

// calling to close multiple times, close() inside a close listener does not dispatch a duplicate close event
it('closes once, however often it is told', async () => {
  const socket = connect(await guarded())
  await socket.ready
  const counts = counted(socket)
  socket.addEventListener('close', () => socket.close())
  for (let time = 0; time < 3; time++) socket.close(4000, 'done')
  expect(await next(socket, 'close')).toMatchObject({ code: 4000, reason: 'done', wasClean: true })
  await new Promise((resolve) => setImmediate(resolve))
  expect(counts).toEqual({ open: 0, close: 1, error: 0 })
})

// calling to reconnect when not ready, handles rapid reconnect calls
it('makes one connection, however often it is reset before', async () => {
  let connections = 0
  const socket = connect(await guarded(() => void connections++))
  for (let time = 0; time < 10; time++) socket.reset()
  await socket.ready
  expect(connections).toBe(1)
})

// connect, send, receive, reconnect; complete WebSocket lifecycle; reconnect() immediately after close()
it('talks, is closed and comes again, with one close for each time', async () => {
  const socket = connect(await guarded())
  const counts = counted(socket)
  for (let round = 1; round <= 3; round++) {
    expect(socket.readyState).toBe(socket.CONNECTING)
    const messages = heard(socket, 2)
    await socket.ready
    socket.send(`round ${round}`)
    expect(await messages).toEqual(['hello ada', `round ${round}`])
    socket.close(1000, 'on')
    expect(socket.readyState).toBe(socket.CLOSING)
    if (round < 3) socket.reset()
    else expect(await next(socket, 'close')).toMatchObject({ code: 1000, reason: 'on' })
  }
  expect([counts, socket.readyState]).toEqual([{ open: 3, close: 3, error: 0 }, socket.CLOSED])
})

// connect and close before establishing connection, reconnect after closing
it('never opens when it is closed before, and opens when it is reset', async () => {
  const socket = connect(await guarded())
  const counts = counted(socket)
  socket.close()
  await next(socket, 'close')
  expect(counts).toEqual({ open: 0, close: 1, error: 0 })
  socket.reset()
  await socket.ready
  expect(counts).toEqual({ open: 1, close: 1, error: 0 })
})

// enqueue messages, respect maximum enqueued messages, should calculate bufferedAmount for Blob, ArrayBuffer messages
it('counts what waits over every failure, and takes no more than it may', async () => {
  const socket = connect(nowhere, { maxQueuedMessages: 3 })
  for (const message of ['hello', new Blob(['test data']), new Uint8Array(8)]) socket.send(message)
  expect(() => socket.send('too much')).toThrow('Full')
  for (let failure = 0; failure < 2; failure++) await next(socket, 'error')
  expect(socket.bufferedAmount).toBe(5 + 9 + 8)
})

// enqueue messages before websocket initialization with expected order, handles high message volume
it('sends a thousand messages in their order, those that waited first', async () => {
  const socket = connect(await guarded())
  const lines = Array.from({ length: 1_000 }, (_, at) => `line ${at}`)
  for (const line of lines.slice(0, 500)) socket.send(line)
  socket.addEventListener('open', () => {
    for (const line of lines.slice(500)) socket.send(line)
  })
  expect(await heard(socket, 1_001)).toEqual(['hello ada', ...lines])
})

// closing from the other side should reconnect, should allow to keep closed, handles server disconnect and reconnect
it('comes again when the server has closed, and stays away where a listener closes it', async () => {
  let connections = 0
  const socket = connect(await guarded((peer) => peer.close(4000 + 100 * ++connections)))
  const codes: number[] = []
  socket.addEventListener('close', ({ code }) => {
    codes.push(code)
    if (code === 4300) socket.close()
  })
  await expect.poll(() => socket.readyState).toBe(socket.CLOSED)
  expect([codes.slice(0, 3), connections]).toEqual([[4100, 4200, 4300], 3])
})

// shouldReconnectOnClose=false stops reconnecting before close listeners run
it('stays away after a Close that was named, before a listener hears of it', async () => {
  const url = await guarded((peer) => peer.close(4100, 'policy'))
  const socket = connect(url, { reconnect: { stopOn: [4100] } })
  const states: number[] = []
  socket.addEventListener('close', () => states.push(socket.readyState))
  expect(await next(socket, 'close')).toMatchObject({ code: 4100, reason: 'policy' })
  expect(states).toEqual([socket.CLOSED])
})

// URL provider, handles async URL provider that throws, handles sync URL provider that throws
it('asks for its URL at every attempt, and goes on when it is not told', async () => {
  const url = await guarded()
  const answers = [() => Promise.reject(new Error('not yet')), () => url]
  const socket = connect(async () => answers.shift()?.() ?? url)
  const { outcome } = (await next(socket, 'error')).error
  expect(outcome).toMatchObject({ kind: 'unavailable', cause: expect.any(Error) })
  await socket.ready
  expect(socket.url).toBe(url)
})

// handles multiple PartySocket instances, chat application scenario
it('is one of many', async () => {
  const url = await guarded()
  const sockets = Array.from({ length: 5 }, () => connect(url))
  expect(await Promise.all(sockets.map((socket) => heard(socket, 1)))).toEqual(sockets.map(() => ['hello ada']))
})
