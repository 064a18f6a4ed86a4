import { type Case, next, opened, same, test, throws } from './case.js'

/** How it ends. */
export const closing: readonly Case[] = [
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
  ),
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
  ),
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
  ),
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
  ),
  test('a server that closes is answered', 'Close-server-initiated-close.any, closing-handshake/002', async (place) => {
    const socket = await opened(place)
    socket.send('bye')
    const close = await next(socket, 'close')
    same([close.wasClean, close.code, close.reason, socket.readyState], [true, 4321, 'bye', 3])
  }),
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
  ),
]
