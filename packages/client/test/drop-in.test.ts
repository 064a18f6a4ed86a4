import { GuardedSocket, type Outcome, QueueOverflowError, SocketError, ticket, webSocketClass } from '@sallyport/client'
import { codes } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { FakeClock, fakeWebSocket, settled, start } from './fakes.js'

describe('what a WebSocket has', () => {
  it('has the four constants, on the class and on the instance', () => {
    const { socket } = start()
    for (const where of [GuardedSocket, socket]) {
      expect([where.CONNECTING, where.OPEN, where.CLOSING, where.CLOSED]).toEqual([0, 1, 2, 3])
    }
  })

  it('goes through the states of a WebSocket', async () => {
    const { socket, open, current } = start()
    expect(socket.readyState).toBe(0)
    await open()
    expect(socket.readyState).toBe(1)
    socket.close(4321, 'bye')
    expect(socket.readyState).toBe(2)
    expect(current().closedWith).toEqual({ code: 4321, reason: 'bye' })
    current().end(4321, 'bye')
    expect(socket.readyState).toBe(3)
  })

  it('calls its on-handlers with itself as `this`, and listeners beside them', async () => {
    const { socket, open, current, events } = start()
    const seen: unknown[] = []
    socket.onopen = function () {
      seen.push(this)
    }
    socket.onmessage = ({ data, origin, target }) => seen.push(data, origin, target)
    socket.onerror = ({ type }) => seen.push(type)
    socket.onclose = ({ code, reason, wasClean }) => seen.push({ code, reason, wasClean })
    await open()
    current().receive('hello')
    current().break()
    expect(seen).toEqual([
      socket,
      'hello',
      'wss://api.example.com',
      socket,
      'error',
      { code: 1006, reason: '', wasClean: false },
    ])
    expect(events.types()).toEqual(['authenticated', 'open', 'message', 'reconnecting', 'error', 'close'])
    socket.onopen = null
    expect(socket.onopen).toBeNull()
  })

  it('has handlers that are null for what is no object, and called from where they were first set', async () => {
    const { socket, open } = start()
    const called: string[] = []
    socket.addEventListener('open', () => called.push('listener'))
    for (const nothing of [5, ';', undefined, null]) {
      socket.onopen = (() => called.push('of the past')) as never
      expect(socket.onopen).toBeTypeOf('function')
      socket.onopen = nothing as never
      expect(socket.onopen).toBeNull()
    }
    const object = { handleEvent: () => called.push('never') }
    socket.onopen = object as never
    expect(socket.onopen).toBe(object)
    await open()
    expect(called).toEqual(['listener'])
    socket.addEventListener('open', () => called.push('second listener'))
    socket.onopen = () => called.push('handler')
    socket.dispatchEvent(new Event('open'))
    expect(called).toEqual(['listener', 'listener', 'handler', 'second listener'])
  })

  it('shows protocol, extensions, and what is buffered', async () => {
    const { socket, current } = start({ protocols: ['chat', 'chat2'] })
    expect([socket.protocol, socket.extensions, socket.bufferedAmount]).toEqual(['', '', 0])
    socket.send('é')
    expect(socket.bufferedAmount).toBe(2)
    await settled()
    expect(current().second).toEqual(['chat', 'chat2'])
    current().extensions = 'permessage-deflate'
    current().open('chat2')
    current().bufferedAmount = 7
    expect([socket.protocol, socket.extensions, socket.bufferedAmount]).toEqual(['chat2', 'permessage-deflate', 7])
  })

  it('keeps binaryType over reconnects, and leaves the default of the class alone', async () => {
    const { socket, clock, open, current } = start()
    expect(socket.binaryType).toBe('blob')
    await open()
    current().binaryType = 'nodebuffer'
    current().break()
    await clock.advance(500)
    await open()
    expect(current().binaryType).toBe('blob')
    socket.binaryType = 'arraybuffer'
    expect(current().binaryType).toBe('arraybuffer')
    current().break()
    await clock.advance(1000)
    await open()
    expect(current().binaryType).toBe('arraybuffer')
    expect(socket.binaryType).toBe('arraybuffer')
  })

  it('shows its URL without the credential', async () => {
    const { socket, current } = start({}, 'https://api.example.com/ws?room=a%20b#top')
    await settled()
    expect(socket.url).toBe('wss://api.example.com/ws?room=a%20b')
    expect(current().url).toBe('wss://api.example.com/ws?room=a%20b&ticket=t1')
  })

  it('delivers no message after close()', async () => {
    const { socket, open, current, events } = start()
    await open()
    current().receive('before')
    socket.close()
    current().receive('after')
    expect(events.count('message')).toBe(1)
  })

  it('discards what is sent after close()', async () => {
    const { socket, open, current } = start()
    await open()
    socket.send('before')
    socket.close()
    socket.send('after')
    expect(current().sent).toEqual(['before'])
    expect(socket.bufferedAmount).toBe(0)
  })

  it('survives a listener that throws', async () => {
    const { socket, open } = start()
    const thrown = new Promise((resolve) => process.once('uncaughtException', resolve))
    const listeners = process.listeners('uncaughtException').slice(0, -1)
    for (const listener of listeners) process.removeListener('uncaughtException', listener)
    socket.addEventListener('authenticated', () => {
      throw new Error('of the application')
    })
    await open()
    expect(await thrown).toEqual(new Error('of the application'))
    for (const listener of listeners) process.on('uncaughtException', listener)
    expect(socket.readyState).toBe(1)
  })
})

describe('what is sent before the acknowledgement', () => {
  it('is sent after it, once and in order', async () => {
    const { socket, open, current, clock } = start()
    socket.send('one')
    await settled()
    socket.send('two')
    expect(current().sent).toEqual([])
    await open()
    socket.send('three')
    expect(current().sent).toEqual(['one', 'two', 'three'])
    current().break()
    socket.send('four')
    await clock.advance(500)
    await open()
    expect(current().sent).toEqual(['four'])
  })

  it('goes before what a listener of `open` sends, and after what one of `authenticated` sees', async () => {
    const { socket, open, current } = start()
    socket.send('queued')
    socket.addEventListener('authenticated', () => {
      expect(current().sent).toEqual([])
      socket.send('from authenticated')
    })
    socket.addEventListener('open', () => socket.send('from open'))
    await open()
    expect(current().sent).toEqual(['queued', 'from authenticated', 'from open'])
  })

  it('is copied, because the application may reuse its buffer', async () => {
    const { socket, open, current } = start()
    const bytes = new Uint8Array([0, 1, 2, 3])
    socket.send(bytes.subarray(1, 3))
    socket.send(bytes.buffer)
    const blob = new Blob(['blob'])
    socket.send(blob)
    expect(socket.bufferedAmount).toBe(2 + 4 + 4)
    bytes.fill(9)
    await open()
    const [view, buffer, third] = current().sent as [ArrayBuffer, ArrayBuffer, Blob]
    expect([...new Uint8Array(view)]).toEqual([1, 2])
    expect([...new Uint8Array(buffer)]).toEqual([0, 1, 2, 3])
    expect(await third.text()).toBe('blob')
  })

  it('is bounded in bytes', async () => {
    const { socket, open, current } = start({ maxQueuedBytes: 4 })
    socket.send('éé')
    expect(() => socket.send('x')).toThrow(QueueOverflowError)
    await open()
    expect(current().sent).toEqual(['éé'])
    socket.send('more than four')
    expect(current().sent).toHaveLength(2)
  })

  it('is bounded in messages', () => {
    const { socket } = start({ maxQueuedMessages: 2 })
    socket.send('')
    socket.send('')
    expect(() => socket.send('')).toThrow(QueueOverflowError)
  })
})

describe('ready', () => {
  it('resolves with the acknowledgement and starts over after a loss', async () => {
    const { socket, open, current, clock } = start()
    const first = socket.ready
    await open()
    await first
    current().break()
    let isBack = false
    const second = socket.ready.then(() => {
      isBack = true
    })
    await clock.advance(500)
    expect(isBack).toBe(false)
    await open()
    await second
  })

  it('rejects with the outcome when the socket gives up', async () => {
    const { socket, open, current } = start()
    await open()
    await socket.ready
    current().end(4003)
    const error: unknown = await socket.ready.catch((reason) => reason)
    expect(error).toBeInstanceOf(SocketError)
    expect(error).toMatchObject({ outcome: { kind: 'forbidden', code: 4003 }, message: 'Sallyport: forbidden' })
  })

  it('rejects when the application closes', async () => {
    const { socket } = start()
    socket.close()
    await expect(socket.ready).rejects.toThrow('Closed')
  })
})

describe('webSocketClass', () => {
  it('is a class that libraries can make sockets with', async () => {
    const { WebSocket, sockets } = fakeWebSocket()
    const Class = webSocketClass({ credential: ticket(() => 't'), WebSocket, clock: new FakeClock() })
    expect([Class.CONNECTING, Class.OPEN, Class.CLOSING, Class.CLOSED]).toEqual([0, 1, 2, 3])
    const socket = new Class('wss://api.example.com/graphql', 'graphql-transport-ws')
    expect(socket).toBeInstanceOf(GuardedSocket)
    await settled()
    expect(sockets[0]).toMatchObject({
      url: 'wss://api.example.com/graphql?ticket=t',
      second: ['graphql-transport-ws'],
    })
    sockets[0]?.open('graphql-transport-ws')
    expect(socket.protocol).toBe('graphql-transport-ws')
    const plain = new Class('wss://api.example.com/plain')
    await settled()
    expect(sockets[1]).toMatchObject({ second: [] })
    plain.close()
  })
})

describe('the sockets of one class, for a library that retries by itself', () => {
  /** Such a library, the reasons that its credential function heard, and how often it was stopped. */
  function library() {
    const { WebSocket, sockets } = fakeWebSocket()
    const reasons: string[] = []
    const kinds: string[] = []
    const credential = ticket(({ reason }) => {
      reasons.push(reason)
      return 't'
    })
    const onTerminal = ({ kind }: Outcome) => kinds.push(kind)
    const clock = new FakeClock()
    const Class = webSocketClass({ credential, WebSocket, clock, reconnect: false, onTerminal })
    /** Connects, and that connection ends so; before that it may hear the server. */
    async function connect(end: number, { heard = false } = {}) {
      new Class('wss://api.example.com/ws')
      await settled()
      const socket = sockets.at(-1)
      socket?.open()
      if (heard) socket?.receive('hello')
      socket?.end(end)
    }
    return { connect, reasons, kinds }
  }

  it('K34 present another credential after one was refused, and are over when that is refused too', async () => {
    const { connect, reasons, kinds } = library()
    await connect(codes.unauthenticated.close)
    expect(kinds).toEqual([])
    await connect(codes.unauthenticated.close)
    expect([reasons, kinds]).toEqual([['first', 'rejected'], ['unauthenticated']])
  })

  it('K34 go on when the other was accepted', async () => {
    const { connect, reasons, kinds } = library()
    await connect(codes.unauthenticated.close)
    await connect(1006, { heard: true })
    await connect(codes.unauthenticated.close)
    await connect(1006, { heard: true })
    expect([reasons, kinds]).toEqual([['first', 'rejected', 'reconnect', 'rejected'], []])
  })

  it.each([
    ['reconnect', 1006],
    ['reconnect', 1000],
    ['expired', codes.expired.close],
    ['rejected', codes.unauthenticated.close],
  ])('K34 ask with the reason `%s` after %i', async (reason, code) => {
    const { connect, reasons } = library()
    await connect(code)
    await connect(1006)
    // What is known of a credential stays true while the network fails.
    await connect(1006, { heard: true })
    await connect(1006)
    expect(reasons).toEqual(['first', reason, reason, 'reconnect'])
  })

  it('know no reason of another class', async () => {
    await library().connect(codes.unauthenticated.close)
    const { connect, reasons } = library()
    await connect(1006)
    expect(reasons).toEqual(['first'])
  })
})

describe('reconnect: false', () => {
  it('is a WebSocket of one connection: open, then close, then nothing', async () => {
    const { socket, open, current, clock, sockets, events } = start({ reconnect: false })
    await open()
    current().end(1012, 'Service restart')
    expect(socket.readyState).toBe(3)
    expect(events.types()).toEqual(['authenticated', 'open', 'terminal', 'close'])
    expect(events.last('terminal')).toMatchObject({ outcome: { kind: 'unavailable', code: 1012 } })
    expect(events.last('close')).toMatchObject({ code: 1012, reason: 'Service restart', wasClean: true })
    await clock.advance(600_000)
    expect(sockets).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  it('ends with the first attempt that fails', async () => {
    const { socket, current, events } = start({ reconnect: false })
    await settled()
    current().break()
    expect(socket.readyState).toBe(3)
    expect(events.types()).toEqual(['terminal', 'error', 'close'])
  })
})
