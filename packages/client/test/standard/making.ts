import { type Case, opened, same, test, throws } from './case.js'

const states = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const

/** What the class and a new socket of it are. */
export const making: readonly Case[] = [
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
  ),
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
  ),
  test('a URL is asked for', 'constructor/001, constructor.any', ({ Class, url }) => {
    throws('TypeError', () => Reflect.construct(Class, []))
    const socket: WebSocket = Reflect.construct(Class, [url, [], 'a third argument'])
    same(socket instanceof Class, true)
    socket.close()
  }),
  test(
    'what is no URL, has another scheme or a fragment is a SyntaxError',
    'Create-invalid-urls.any',
    ({ Class, url }) => {
      for (const wrong of [
        'ftp://127.0.0.1/',
        'mailto:a@example.org',
        'about:blank',
        `${url}#`,
        `${url}#top`,
        'ws://',
      ]) {
        throws('SyntaxError', () => new Class(wrong))
      }
    },
  ),
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
  ),
  test(
    'subprotocols are different tokens, or a SyntaxError',
    'constructor/004, 007, 012, Create-protocols-repeated.any, Create-nonAscii-protocol-string.any, Create-asciiSep-protocol-string.any, Create-protocol-with-space.any',
    ({ Class, url }) => {
      for (const wrong of ['', 'a b', 'a,b', 'a\u0000b', 'a\u001fb', 'a\u007fb', 'ä', ['chat', 'chat'], ['chat', '']]) {
        throws('SyntaxError', () => new Class(url, wrong))
      }
    },
  ),
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
  ),
]
