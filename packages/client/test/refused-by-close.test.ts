import { QueueOverflowError } from '@sallyport/client'
import { codes } from '@sallyport/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FakeSocket, settled, start } from './fakes.js'

const { close: refusal } = codes.unauthenticated

/** A socket that has sent a queued and a live message on its first connection. */
async function sentTwo(options: Parameters<typeof start>[0] = {}) {
  const started = start(options)
  started.socket.send('queued')
  await started.open()
  started.socket.send('live')
  expect(started.current().sent).toEqual(['queued', 'live'])
  return started
}

describe('a server that accepts the handshake and refuses the credential by Close', () => {
  it('loses nothing of what was sent meanwhile: it goes out again, first and in order', async () => {
    const { socket, open, current, retry } = await sentTwo()
    current().end(refusal)
    expect(socket.bufferedAmount).toBe('queuedlive'.length)
    socket.send('later')
    await retry()
    await open()
    expect(current().sent).toEqual(['queued', 'live', 'later'])
    expect(socket.bufferedAmount).toBe(0)
  })

  it.each([1000, 1006, 1011, 1012, 1013, 3000, codes.expired.close, codes.limited.close])(
    'is the one exception: after a Close of %i nothing is sent again',
    async (code) => {
      const { socket, open, current, retry } = await sentTwo()
      current().end(code)
      expect(socket.bufferedAmount).toBe(0)
      socket.send('later')
      await retry()
      await open()
      expect(current().sent).toEqual(['later'])
    },
  )

  it('has heard what was sent before its first message', async () => {
    const { open, current, retry } = await sentTwo()
    current().receive('hello')
    current().end(refusal)
    await retry()
    await open()
    expect(current().sent).toEqual([])
  })

  it.each([
    [9_999, ['queued', 'live', 'late']],
    [10_000, []],
  ])('after %i ms has not yet heard %j', async (ms, sent) => {
    const { socket, open, current, clock, retry } = await sentTwo()
    await clock.advance(ms)
    socket.send('late')
    current().end(refusal)
    await retry()
    await open()
    expect(current().sent).toEqual(sent)
  })

  it('hears a listener of `open` twice: what it sent goes out again, and it is called again', async () => {
    const { socket, open, current, retry } = start()
    socket.addEventListener('open', () => socket.send('from open'))
    await open()
    current().end(refusal)
    await retry()
    await open()
    expect(current().sent).toEqual(['from open', 'from open'])
  })

  it('hears once what was sent when the socket was made, and what is sent after the first message of the server', async () => {
    const { socket, open, current, retry } = start()
    socket.send('once')
    socket.addEventListener('message', () => socket.send('in answer'))
    await open()
    current().end(refusal)
    await retry()
    await open()
    current().receive('hello')
    expect(current().sent).toEqual(['once', 'in answer'])
  })

  it('makes the socket give up the second time, and then nothing is kept', async () => {
    const { socket, open, current, retry, events, sockets } = await sentTwo()
    current().end(refusal)
    await retry()
    await open()
    current().end(refusal)
    expect(events.last('terminal')).toMatchObject({ outcome: { kind: 'unauthenticated' } })
    expect(socket.bufferedAmount).toBe(0)
    socket.reset()
    await open()
    expect(sockets.map(({ sent }) => sent)).toEqual([['queued', 'live'], ['queued', 'live'], []])
  })

  it('sends it again also when the network failed in between', async () => {
    const { open, current, retry } = await sentTwo()
    current().end(refusal)
    await retry()
    current().break()
    await retry()
    await open()
    expect(current().sent).toEqual(['queued', 'live'])
  })

  it('does not make a message go out a third time after a connection that was lost otherwise', async () => {
    const { open, current, retry } = await sentTwo()
    current().end(refusal)
    await retry()
    await open()
    current().break()
    await retry()
    await open()
    expect(current().sent).toEqual([])
  })

  it('finds what the application has changed since as it was sent', async () => {
    const { socket, open, current, retry } = start()
    await open()
    const bytes = new Uint8Array([1, 2, 3])
    socket.send(bytes)
    bytes.fill(9)
    current().end(refusal)
    await retry()
    await open()
    expect(current().sent).toEqual([new Uint8Array([1, 2, 3]).buffer])
  })

  it.each([
    ['messages', { maxQueuedMessages: 2 }, ['1', '2', '3', '4']],
    ['bytes', { maxQueuedBytes: 3 }, ['1', '2', 'much', '4']],
  ])('gets back what the queue has room for in %s, without a gap', async (_unit, options, messages) => {
    const { socket, open, current, retry } = start(options)
    await open()
    for (const message of messages) socket.send(message)
    expect(current().sent).toEqual(messages)
    current().end(refusal)
    await retry()
    await open()
    expect(current().sent).toEqual(['1', '2'])
  })

  it('leaves what waits within the bounds of the queue', async () => {
    const { socket, open, current } = start({ maxQueuedMessages: 2 })
    await open()
    socket.send('one')
    socket.send('two')
    current().end(refusal)
    expect(() => socket.send('three')).toThrow(QueueOverflowError)
  })

  it('does not hold what was sent when the application closes', async () => {
    const { socket, current } = await sentTwo()
    socket.close()
    current().end(refusal)
    await settled()
    expect([socket.readyState, socket.bufferedAmount]).toEqual([3, 0])
  })

  it('K08 gets nothing of the old account after reset()', async () => {
    const { socket, open, current, retry, sockets } = await sentTwo()
    socket.reset()
    await open()
    socket.send('of B')
    current().end(refusal)
    await retry()
    await open()
    expect(sockets.slice(1).map(({ sent }) => sent)).toEqual([['of B'], ['of B']])
  })

  it('K08 gets nothing of the old account when the reset comes after the refusal', async () => {
    const { socket, open, current } = await sentTwo()
    current().end(refusal)
    socket.reset()
    await open()
    expect(current().sent).toEqual([])
  })

  it('hears every message at most once and in order, and all of them where only credentials are refused', async () => {
    const step = fc.constantFrom('send', 'send', 'open', 'hear', 'refuse', 'break', 'wait')
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 50 }), async (steps) => {
        const { socket, sockets, clock, open, current } = start()
        /** When a connection came to be, and whether the server may still refuse it. */
        const refusable = new Map<FakeSocket, number>()
        const refused = new Set<FakeSocket>()
        let count = 0
        let broken = false
        const perform: Record<string, () => unknown> = {
          send: () => socket.send(String(count++).padStart(3, '0')),
          open: async () => {
            if (current().readyState !== 0) return
            await open()
            refusable.set(current(), clock.now())
          },
          hear: () => {
            refusable.delete(current())
            current().receive('hello')
          },
          refuse: () => {
            const since = refusable.get(current())
            if (since === undefined || clock.now() - since >= 10_000 || current().readyState !== 1) return
            refused.add(current())
            current().end(refusal)
          },
          break: () => {
            if (current().readyState === 3) return
            broken = true
            current().break()
          },
          wait: () => clock.advance(1_000),
        }
        await settled()
        for (const name of steps) {
          await perform[name]?.()
          await settled()
        }
        for (let patience = 10; socket.readyState === 0 && patience > 0; patience--) {
          if (current().readyState === 0) await open()
          else await clock.advance(5_000)
        }
        const heard = sockets.filter((connection) => !refused.has(connection)).flatMap(({ sent }) => sent)
        expect(heard).toEqual([...new Set(heard)].sort())
        if (socket.readyState === 1 && !broken) expect(heard).toHaveLength(count)
      }),
      { numRuns: 300 },
    )
  })
})
