import { type Case, next, same, test } from './case.js'

/** What is told, and to whom. */
export const events: readonly Case[] = [
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
  ),
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
  ),
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
  ),
]
