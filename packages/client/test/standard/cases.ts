// What the standard (https://websockets.spec.whatwg.org) asks of a WebSocket, in our own words, to run in a page of a
// browser; beside each case the files in `websockets` of Web Platform Tests that ask the same.

/** The class that is asked, and a guarded route that echoes, selects `chat` or `chat2`, and closes at the word `bye`. */
export interface Place {
  readonly Class: typeof WebSocket
  readonly url: string
}

export interface Case {
  readonly name: string
  /** Files of Web Platform Tests. */
  readonly files: string
  /** Throws where the class does otherwise. */
  run(place: Place): void | Promise<void>
}

const cases: Case[] = []
const test = (name: string, files: string, run: Case['run']) => cases.push({ name, files, run })

/** Runs in the page: the name of each case, with what is wrong. */
export async function runAll(place: Place): Promise<[name: string, wrong: string | null][]> {
  const results: [string, string | null][] = []
  for (const { name, run } of cases) {
    const inTime = new Promise<never>((_, reject) => setTimeout(reject, 5_000, new Error('nothing came')))
    const wrong = await Promise.race([Promise.resolve(place).then(run), inTime]).then(() => null, String)
    results.push([name, wrong])
  }
  return results
}

export { cases }

function same(found: unknown, wanted: unknown): void {
  const [is, should] = [found, wanted].map((value) => JSON.stringify(value) ?? String(value))
  if (is !== should) throw new Error(`expected ${should}, found ${is}`)
}

function throws(name: string, work: () => unknown): void {
  let thrown: unknown
  try {
    work()
  } catch (error) {
    thrown = error
  }
  same(thrown instanceof Error || thrown instanceof DOMException ? thrown.name : thrown, name)
}

/** The next event of a type; rejects when the socket closes first. */
const next = <K extends keyof WebSocketEventMap>(socket: WebSocket, type: K) =>
  new Promise<WebSocketEventMap[K]>((resolve, reject) => {
    socket.addEventListener(type, resolve, { once: true })
    if (type !== 'close') socket.addEventListener('close', ({ code }) => reject(new Error(`closed with ${code}`)))
  })

/** An open socket that has read its greeting. */
async function opened({ Class, url }: Place, protocols?: string | string[]): Promise<WebSocket> {
  const socket = new Class(url, protocols)
  await next(socket, 'message')
  return socket
}

const states = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const

test(
  'constants stand on the class and its prototype, and nobody writes them',
  'interfaces/WebSocket/constants',
  (place) => {
    const socket = new place.Class(place.url)
    for (const [value, name] of states.entries()) {
      for (const where of [place.Class, place.Class.prototype, socket]) {
        Reflect.set(where, name, 5)
        same(where[name], value)
      }
      Reflect.deleteProperty(place.Class, name)
      Reflect.deleteProperty(place.Class.prototype, name)
      same([place.Class[name], place.Class.prototype[name], Object.hasOwn(socket, name)], [value, value, false])
      throws('TypeError', () => Object.defineProperty(place.Class.prototype, name, { get: () => 5 }))
    }
    socket.close()
  },
)

test(
  'attributes cannot be written',
  'readyState/002, url/002, bufferedAmount-readonly, protocol-initial, extensions/001',
  (place) => {
    const socket = new place.Class(place.url)
    const read = () => [socket.readyState, socket.url, socket.bufferedAmount, socket.protocol, socket.extensions]
    for (const name of ['readyState', 'url', 'bufferedAmount', 'protocol', 'extensions'])
      Reflect.set(socket, name, 'mine')
    same(read(), [0, place.url, 0, '', ''])
    same('URL' in socket, false)
    socket.close()
  },
)

test('a URL is asked for', 'constructor/001, constructor.any', ({ Class, url }) => {
  throws('TypeError', () => Reflect.construct(Class, []))
  const socket: WebSocket = Reflect.construct(Class, [url, [], 'a third argument'])
  same(socket instanceof Class, true)
  socket.close()
})

test(
  'what is no URL, has another scheme or a fragment is a SyntaxError',
  'Create-invalid-urls.any',
  ({ Class, url }) => {
    for (const wrong of ['ftp://127.0.0.1/', 'mailto:a@example.org', 'about:blank', `${url}#`, `${url}#top`, 'ws://']) {
      throws('SyntaxError', () => new Class(wrong))
    }
  },
)

test(
  'http: and relative URLs are those of a WebSocket',
  'Create-http-urls.any, Create-non-absolute-url.any, url/001, url/resolve',
  ({ Class, url }) => {
    const { host } = new URL(url)
    const pairs = [
      [`http://${host}/a b`, `ws://${host}/a%20b`],
      [`https://${host}`, `wss://${host}/`],
      ['/here', `${location.origin.replace('http', 'ws')}/here`],
    ] as const
    for (const [given, read] of pairs) {
      const socket = new Class(given)
      same(socket.url, read)
      socket.close()
    }
  },
)

test(
  'subprotocols are different tokens, or a SyntaxError',
  'constructor/004, 007, 012, Create-protocols-repeated.any, Create-nonAscii-protocol-string.any, Create-asciiSep-protocol-string.any, Create-protocol-with-space.any',
  ({ Class, url }) => {
    for (const wrong of ['', 'a b', 'a,b', 'a\u0000b', 'a\u001fb', 'a\u007fb', 'ä', ['chat', 'chat'], ['chat', '']]) {
      throws('SyntaxError', () => new Class(url, wrong))
    }
  },
)

test(
  'the selected subprotocol is told',
  'constructor/009, 020, 022, Create-valid-url-protocol-setCorrectly.any',
  async (place) => {
    for (const [offered, selected] of [
      ['chat', 'chat'],
      [['other', 'chat2', 'chat'], 'chat2'],
      [[], ''],
    ] as const) {
      const socket = await opened(place, [...[offered].flat()])
      same(socket.protocol, selected)
      socket.close()
    }
  },
)

test(
  'handlers are null for what is no object, and heard for a function alone',
  'eventhandlers.any, events/001-013',
  ({ Class, url }) => {
    const socket = new Class(url)
    for (const name of ['onopen', 'onmessage', 'onerror', 'onclose'] as const) {
      same([name in socket, socket[name]], [true, null])
      const handler = () => {}
      for (const nothing of [undefined, 1, ';', null]) {
        socket[name] = handler
        same(socket[name] === handler, true)
        Reflect.set(socket, name, nothing)
        same(socket[name], null)
      }
      const object = { handleEvent: () => same('called', 'not called') }
      Reflect.set(socket, name, object)
      same(socket[name] === (object as unknown), true)
      socket.dispatchEvent(new Event(name.slice(2)))
      socket[name] = null
    }
    socket.close()
  },
)

test(
  'a handler is called in its place among the listeners, with the socket',
  'events/015, 016',
  async ({ Class, url }) => {
    const socket = new Class(url)
    const calls: unknown[] = []
    socket.addEventListener('open', (event) => calls.push(1, event.target === socket, event.eventPhase))
    socket.onopen = function (event) {
      calls.push(2, this === socket, event.currentTarget === socket)
    }
    socket.addEventListener('open', () => calls.push(3))
    await next(socket, 'open')
    same(calls, [1, true, 2, 2, true, true, 3])
    socket.close()
  },
)

test(
  'events are of the classes of the platform, and cannot be written',
  'events/014, 017, CloseEvent/clean-close, close-basic',
  async (place) => {
    const socket = new place.Class(place.url)
    const message = await next(socket, 'message')
    same([message instanceof MessageEvent, message.bubbles, message.cancelable], [true, false, false])
    same([message.origin, String(message)], [new URL(place.url).origin, '[object MessageEvent]'])
    socket.close(1000, 'done')
    const close = await next(socket, 'close')
    same([close instanceof CloseEvent, String(close)], [true, '[object CloseEvent]'])
    Reflect.set(close, 'code', 4000)
    same([close.code, close.reason, close.wasClean], [1000, 'done', true])
  },
)

test('send() throws while connecting', 'Send-before-open.any, send/001, 003, 004', ({ Class, url }) => {
  const socket = new Class(url)
  throws('InvalidStateError', () => socket.send('early'))
  throws('TypeError', () => Reflect.apply(socket.send, socket, []))
  socket.close()
})

test('what is neither text nor bytes is sent as text', 'Send-null.any, send/010, 012', async (place) => {
  const socket = await opened(place)
  for (const thing of [null, undefined, 1, {}, [], [1, 2], new Error('x'), socket]) {
    same(Reflect.apply(socket.send, socket, [thing]), undefined)
    same((await next(socket, 'message')).data, String(thing))
  }
  socket.close()
})

test(
  'text arrives as it was sent, with U+FFFD for half a pair',
  'Send-data.any, Send-0byte-data.any, Send-65K-data.any, Send-unicode-data.any, Send-paired-surrogates.any, Send-unpaired-surrogates.any, send/006, 009, 011',
  async (place) => {
    const socket = await opened(place)
    for (const [sent, heard = sent] of [
      [''],
      ['å a\u030a \u{1047e}'],
      ['x'.repeat(65_000)],
      ['a\udc00b\ud800', 'a\ufffdb\ufffd'],
    ]) {
      socket.send(sent ?? '')
      same((await next(socket, 'message')).data, heard)
    }
    socket.close()
  },
)

test(
  'bytes arrive as they were sent, also a part of a buffer',
  'Send-binary-*.any, binary/*, Send-binary-65K-arraybuffer.any',
  async (place) => {
    const socket = await opened(place)
    const bytes = Uint8Array.from({ length: 64 }, (_, at) => at)
    const parts = [
      bytes.buffer,
      bytes.subarray(2, 7),
      new Int16Array(bytes.buffer, 8, 3),
      new DataView(bytes.buffer, 4),
      new Blob([bytes]),
    ]
    for (const type of ['arraybuffer', 'blob'] as const) {
      socket.binaryType = type
      for (const part of parts) {
        socket.send(part)
        const { data } = await next(socket, 'message')
        same(data instanceof (type === 'blob' ? Blob : ArrayBuffer), true)
        const [found, wanted] = await Promise.all([data, part].map((it) => new Response(it).arrayBuffer()))
        same([...new Uint8Array(found as ArrayBuffer)], [...new Uint8Array(wanted as ArrayBuffer)])
      }
    }
    socket.close()
  },
)

test('binaryType keeps what it has, when it is set to another word', 'binaryType-wrong-value.any', ({ Class, url }) => {
  const socket = new Class(url)
  same(socket.binaryType, 'blob')
  Reflect.set(socket, 'binaryType', 'nodebuffer')
  same(socket.binaryType, 'blob')
  socket.close()
})

test('bufferedAmount grows with what is sent, and after the end', 'bufferedAmount-*.html, Close-*', async (place) => {
  const socket = await opened(place)
  socket.send('å')
  socket.send(new ArrayBuffer(10))
  same(socket.bufferedAmount, 12)
  socket.close()
  await next(socket, 'close')
  const before = socket.bufferedAmount
  socket.send('never')
  same(socket.bufferedAmount - before, 5)
})

test(
  'close() alone is 1005, and a code or reason is echoed',
  'Close-1000-verify-code.any, Close-1005-verify-code.any, Close-3000-verify-code.any, Close-4999-reason.any, Close-undefined.any, Close-reason-unpaired-surrogates.any, closing-handshake/003',
  async (place) => {
    const closings = [
      [[], 1005, ''],
      [[undefined], 1005, ''],
      [[1000], 1000, ''],
      [[3000, 'x'.repeat(123)], 3000, 'x'.repeat(123)],
      [[4999, 'half \ud800'], 4999, 'half \ufffd'],
    ] as const
    for (const [args, code, reason] of closings) {
      const socket = await opened(place)
      Reflect.apply(socket.close, socket, args)
      same(socket.readyState, 2)
      const close = await next(socket, 'close')
      same([socket.readyState, close.code, close.reason, close.wasClean], [3, code, reason, true])
    }
  },
)

test(
  'close() throws for a code that is not to be sent, or a long reason',
  'close-invalid.any, Close-1005.any, Close-2999-reason.any, Close-Reason-124Bytes.any, Close-onlyReason.any',
  async (place) => {
    const socket = await opened(place)
    for (const code of [0, 500, 1001, 1005, 2999, 5000, 66_536, Number.NaN, null, 'text']) {
      throws('InvalidAccessError', () => Reflect.apply(socket.close, socket, [code]))
    }
    throws('SyntaxError', () => socket.close(1000, 'é'.repeat(62)))
    same(socket.readyState, 1)
    socket.close()
  },
)

test(
  'close() while connecting is an error and a close of 1006, later',
  'close-connecting.html, close-connecting-async.any, close-multiple, close-nested',
  async ({ Class, url }) => {
    const socket = new Class(url)
    const seen: unknown[] = []
    socket.onopen = () => seen.push('open')
    socket.onerror = () => seen.push('error', socket.readyState)
    socket.onclose = ({ code, wasClean }) => {
      seen.push(code, wasClean)
      socket.close()
    }
    socket.close()
    socket.close()
    same([socket.readyState, seen], [2, []])
    await next(socket, 'close')
    await new Promise((resolve) => setTimeout(resolve))
    same(seen, ['error', 3, 1006, false])
  },
)

test(
  'nothing is heard, and nothing fails, behind close()',
  'send/007, 008, closing-handshake/004, Close-readyState-Closing.any, Close-readyState-Closed.any',
  async (place) => {
    const socket = await opened(place)
    socket.onmessage = () => same('a message', 'none')
    socket.send('the answer to this comes too late')
    socket.close()
    socket.send('nobody hears this')
    same((await next(socket, 'close')).wasClean, true)
    socket.close(3000)
    same(socket.readyState, 3)
  },
)

test('a server that closes is answered', 'Close-server-initiated-close.any, closing-handshake/002', async (place) => {
  const socket = await opened(place)
  socket.send('bye')
  const close = await next(socket, 'close')
  same([close.wasClean, close.code, close.reason, socket.readyState], [true, 4321, 'bye', 3])
})

test(
  'where nobody answers it is an error and a close of 1006',
  'events/020, opening-handshake/001, 002, constructor/008',
  async ({ Class, url }) => {
    for (const nobody of [url.replace(/ws$/, 'nobody'), 'ws://example.invalid/', 'ws://user:password@127.0.0.1/']) {
      const socket = new Class(nobody)
      const failed = next(socket, 'close')
      let errors = 0
      socket.onerror = ({ type }) => (errors += Number(type === 'error'))
      const close = await failed
      same([errors, close.code, close.wasClean, socket.readyState], [1, 1006, false, 3])
    }
  },
)
