import { type Case, next, opened, same, test, throws } from './case.js'

/** What is sent and heard. */
export const messages: readonly Case[] = [
  test('send() throws while connecting', 'Send-before-open.any, send/001, 003, 004', ({ Class, url }) => {
    const socket = new Class(url)
    throws('InvalidStateError', () => socket.send('early'))
    throws('TypeError', () => Reflect.apply(socket.send, socket, []))
    socket.close()
  }),
  test('what is neither text nor bytes is sent as text', 'Send-null.any, send/010, 012', async (place) => {
    const socket = await opened(place)
    for (const thing of [null, undefined, 1, {}, [], [1, 2], new Error('x'), socket]) {
      same(Reflect.apply(socket.send, socket, [thing]), undefined)
      same((await next(socket, 'message')).data, String(thing))
    }
    socket.close()
  }),
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
  ),
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
  ),
  test(
    'binaryType keeps what it has, when it is set to another word',
    'binaryType-wrong-value.any',
    ({ Class, url }) => {
      const socket = new Class(url)
      same(socket.binaryType, 'blob')
      Reflect.set(socket, 'binaryType', 'nodebuffer')
      same(socket.binaryType, 'blob')
      socket.close()
    },
  ),
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
  }),
]
