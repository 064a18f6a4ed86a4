import { ticket } from '@sallyport/client'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closeArguments } from '../src/close-arguments.js'
import { settled, start } from './fakes.js'

describe('close()', () => {
  it('ends an open socket with the server’s answer, once, and nothing comes after it', async () => {
    const { socket, open, current, clock, sockets, events } = start()
    await open()
    socket.close(4000, 'bye')
    socket.close(4001, 'again')
    current().end(4000, 'bye')
    await clock.advance(600_000)
    expect(events.types()).toEqual(['authenticated', 'open', 'close'])
    expect(events.last('close')).toMatchObject({ code: 4000, reason: 'bye', wasClean: true })
    expect([sockets.length, clock.pending]).toEqual([1, 0])
  })

  it('ends an open socket also when the connection breaks instead of an answer', async () => {
    const { socket, open, current, events, clock } = start()
    await open()
    socket.close()
    current().break()
    await clock.advance(600_000)
    expect(events.types()).toEqual(['authenticated', 'open', 'close'])
    expect(events.last('close')).toMatchObject({ code: 1006, wasClean: false })
    expect(socket.readyState).toBe(3)
  })

  it('while a credential is awaited dials never', async () => {
    let answer = (_value: string) => {}
    const credential = ticket(() => new Promise<string>((resolve) => (answer = resolve)))
    const { socket, clock, sockets, events } = start({ credential })
    await settled()
    socket.close(4000, 'bye')
    expect([socket.readyState, clock.pending]).toEqual([2, 0])
    answer('too-late')
    await clock.advance(600_000)
    expect(sockets).toHaveLength(0)
    expect(events.types()).toEqual(['close'])
    expect(events.log[0]).toMatchObject({ readyState: 3, event: { code: 4000, reason: 'bye', wasClean: true } })
    expect(clock.pending).toBe(0)
  })

  it('during the handshake gives that up', async () => {
    const { socket, clock, current, events } = start()
    await settled()
    socket.close()
    expect(current().closedWith).toEqual({ code: undefined, reason: undefined })
    current().break()
    await clock.advance(600_000)
    expect(events.types()).toEqual(['close'])
    expect(events.last('close')).toMatchObject({ code: 1005, wasClean: true })
  })

  it('during the back-off ends it', async () => {
    const { socket, open, current, clock, sockets, events } = start()
    await open()
    current().break()
    socket.close()
    await clock.advance(600_000)
    expect(sockets).toHaveLength(1)
    expect(events.types()).toEqual(['authenticated', 'open', 'reconnecting', 'error', 'close', 'close'])
    expect(events.log.filter(({ type }) => type === 'close').map(({ readyState }) => readyState)).toEqual([0, 3])
  })

  it.each(['reconnecting', 'error'])('in a listener of `%s` gives one close', async (type) => {
    const { socket, open, current, clock, sockets, events } = start()
    await open()
    socket.addEventListener(type, () => socket.close())
    current().break()
    await clock.advance(600_000)
    expect(sockets).toHaveLength(1)
    expect(events.count('close')).toBe(1)
    expect(events.log.at(-1)).toMatchObject({ type: 'close', readyState: 3 })
  })

  it('is heard by a listener that comes after it', async () => {
    const { socket } = start()
    socket.close()
    const closed = new Promise((resolve) => socket.addEventListener('close', resolve))
    expect(await closed).toMatchObject({ code: 1005 })
  })

  it('gives way to reset(), and still gives its one close', async () => {
    const { socket, open, current, events, sockets } = start()
    await open()
    socket.close()
    socket.reset()
    sockets[0]?.end(1000)
    await open()
    expect(events.types()).toEqual(['authenticated', 'open', 'close', 'authenticated', 'open'])
    current().break()
    socket.close()
    socket.reset()
    await open()
    expect(socket.readyState).toBe(1)
    expect(events.types().slice(5)).toEqual(['reconnecting', 'error', 'close', 'close', 'authenticated', 'open'])
  })

  it('purges the queue', async () => {
    const { socket, open, current } = start()
    socket.send('of the past')
    socket.close()
    await settled()
    expect(socket.bufferedAmount).toBe(0)
    socket.reset()
    await open()
    expect(current().sent).toEqual([])
  })
})

describe('K15 close codes and reasons that a browser does not take', () => {
  it.each([
    [1001, 1000],
    [1008, 1000],
    [0, 1000],
    [2999, 1000],
    [5000, 1000],
    [Number.NaN, 1000],
    [1000, 1000],
    [undefined, undefined],
    [3000, 3000],
    [4999, 4999],
  ])('K15 close(%s) closes with %s', async (code, sent) => {
    const { socket, open, current } = start()
    await open()
    socket.close(code)
    expect(current().closedWith).toEqual({ code: sent, reason: sent && '' })
  })

  it('K15 cuts a reason at 123 bytes, between characters', () => {
    expect(closeArguments(1000, 'a'.repeat(123)).reason).toBe('a'.repeat(123))
    expect(closeArguments(1000, 'a'.repeat(124)).reason).toBe('a'.repeat(123))
    expect(closeArguments(1000, 'é'.repeat(62)).reason).toBe('é'.repeat(61))
    expect(closeArguments(1000, '😀'.repeat(31)).reason).toBe('😀'.repeat(30))
  })

  it('K15 takes every reason, and keeps what fits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (reason) => {
        const kept = closeArguments(1000, reason).reason
        expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(123)
        expect(reason.startsWith(kept)).toBe(true)
        if (Buffer.byteLength(reason) <= 123) expect(kept).toBe(reason)
      }),
    )
  })

  it('K15 never throws', async () => {
    const { socket, open, current } = start()
    await open()
    expect(() => socket.close(1008, 'x'.repeat(500))).not.toThrow()
    expect(current().closedWith).toEqual({ code: 1000, reason: 'x'.repeat(123) })
  })
})
