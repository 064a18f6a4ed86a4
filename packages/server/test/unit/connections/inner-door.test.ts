import { type Accept, createGuard, type GuardEvent, type RevocationTarget } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { type Authorize, innerDoor } from '../../../src/connections/inner-door.js'
import { liveConnections } from '../../../src/connections/of-guard.js'
import type { Identity } from '../../../src/identity.js'
import { testClock } from '../../support/clock.js'
import { deferred, nextTurn } from '../../support/deferred.js'
import { allMethods } from '../../support/guard.js'
import { handshake } from '../../support/handshake.js'
import { live } from '../../support/live.js'
import { fakeTransport } from '../../support/transport.js'

interface Options {
  readonly authorize?: Authorize<Identity, string>
  readonly messagesPerSecond?: number
  readonly takes?: (message: string) => boolean
}

/** The inner door of a connection whose credential lives for a minute. */
function setUp(options: Options = {}) {
  const clock = testClock()
  const guard = createGuard({ ...allMethods(), clock })
  const events: GuardEvent[] = []
  guard.subscribe((event) => events.push(event))
  const transport = fakeTransport()
  const accept: Accept = {
    type: 'accept',
    method: 'header',
    identity: { id: 'ada' },
    session: 's1',
    token: 't1',
    issuedAt: clock.now(),
    vouchedAt: clock.now(),
    expiresAt: clock.now() + 60_000,
  }
  const connection = liveConnections(guard).open(accept, handshake(), transport)!
  const delivered: string[] = []
  const door = innerDoor<Identity, string>({
    ...options,
    connections: liveConnections(guard),
    connection,
    clock,
    sizeOf: (message) => message.length,
    deliver: (message) => delivered.push(message),
  })
  /** As adapters do it: what may pass is delivered at once. */
  const receive = (message: string) => {
    if (door(message)) delivered.push(message)
  }
  const ended = () => events.flatMap((event) => (event.type === 'ended' ? [event] : []))
  return { clock, guard, transport, accept, connection, delivered, receive, ended }
}

/** An `authorize` that answers when it is told to. */
function asking() {
  const asked: { readonly message: string; readonly answer: ReturnType<typeof deferred<boolean | string>> }[] = []
  const authorize: Authorize<Identity, string> = (_, message) => {
    const answer = deferred<boolean | string>()
    asked.push({ message, answer })
    return answer.promise
  }
  const answer = async (index: number, permission: boolean | string) => {
    asked[index]!.answer.resolve(permission)
    await nextTurn()
  }
  return { authorize, asked, answer }
}

describe('the inner door', () => {
  it('lets all pass when nobody asks', () => {
    const { receive, delivered, transport } = setUp()
    for (const message of ['a', 'b', 'c']) receive(message)
    expect(delivered).toEqual(['a', 'b', 'c'])
    expect(transport.calls).toEqual([])
  })

  it('asks with the connection and the message', () => {
    const asked: unknown[] = []
    const { receive, connection } = setUp({
      authorize: (...question) => {
        asked.push(question)
        return true
      },
    })
    receive('a')
    expect(asked).toEqual([[connection, 'a']])
    expect((asked[0] as unknown[])[0]).toBe(connection)
  })

  describe.each<[string, (answer: boolean | string) => boolean | string | Promise<boolean | string>]>([
    ['at once', (answer) => answer],
    ['later', async (answer) => answer],
    ['by a promise of a promise', (answer) => Promise.resolve(Promise.resolve(answer))],
  ])('that is answered %s', (_, give) => {
    it('drops, answers or lets through, and the connection lives on', async () => {
      const answers = new Map<string, boolean | string>([
        ['yes', true],
        ['no', false],
        ['why', '{"error":"read only"}'],
        ['empty', ''],
      ])
      const { receive, delivered, transport, guard } = setUp({ authorize: (_, message) => give(answers.get(message)!) })
      for (const message of ['no', 'yes', 'why', 'yes', 'empty', 'yes']) receive(message)
      await nextTurn()
      expect(delivered).toEqual(['yes', 'yes', 'yes'])
      expect(transport.calls).toEqual(['send {"error":"read only"}', 'send '])
      expect(guard.connections.size).toBe(1)
    })

    it.each([undefined, null, 1, {}, 'true'])('takes nothing but true for a permission: %j', async (answer) => {
      const { receive, delivered, guard } = setUp({ authorize: () => give(answer as never) })
      receive('a')
      await nextTurn()
      expect(delivered).toEqual([])
      expect(guard.connections.size).toBe(1)
    })
  })

  it('keeps the order, however long each permission takes', async () => {
    const { authorize, asked, answer } = asking()
    const { receive, delivered } = setUp({
      authorize: (connection, message) => (message.startsWith('sync') ? true : authorize(connection, message)),
    })
    for (const message of ['sync 1', 'a', 'sync 2', 'b', 'sync 3']) receive(message)
    expect(delivered).toEqual(['sync 1'])
    await answer(0, true)
    expect(delivered).toEqual(['sync 1', 'a', 'sync 2'])
    receive('sync 4')
    expect(asked.map(({ message }) => message)).toEqual(['a', 'b'])
    await answer(1, true)
    expect(delivered).toEqual(['sync 1', 'a', 'sync 2', 'b', 'sync 3', 'sync 4'])
    receive('sync 5')
    expect(delivered.at(-1)).toBe('sync 5')
  })

  it('asks about one message at a time', async () => {
    const { authorize, asked, answer } = asking()
    const { receive, delivered } = setUp({ authorize })
    for (let i = 0; i < 10; i++) receive(String(i))
    for (let i = 0; i < 10; i++) {
      expect(asked).toHaveLength(i + 1)
      await answer(i, i % 2 === 0)
    }
    expect(delivered).toEqual(['0', '2', '4', '6', '8'])
  })

  it('stops reading when 32 wait, and reads again when none does', async () => {
    const { authorize, answer } = asking()
    const { receive, transport, delivered } = setUp({ authorize })
    for (let i = 0; i < 31; i++) receive(String(i))
    expect(transport.isReading).toBe(true)
    receive('31')
    expect(transport.isReading).toBe(false)
    // What the socket had read by then is not lost.
    receive('32')
    for (let i = 0; i < 32; i++) await answer(i, true)
    expect(transport.isReading).toBe(false)
    await answer(32, true)
    expect(transport.isReading).toBe(true)
    expect(delivered).toEqual(Array.from({ length: 33 }, (_, i) => String(i)))
  })

  it('G25 stops reading when 64 KiB wait, however few messages they are', async () => {
    const { authorize, answer } = asking()
    const { receive, transport, delivered } = setUp({ authorize })
    const large = ['a', 'b', 'c'].map((name) => name.repeat(32_768))
    receive(large[0]!)
    expect(transport.isReading).toBe(true)
    receive(large[1]!)
    expect(transport.isReading).toBe(false)
    receive(large[2]!)
    for (let i = 0; i < 3; i++) await answer(i, true)
    expect(delivered).toEqual(large)
    expect(transport.isReading).toBe(true)
    // What has been delivered counts no more.
    receive('d')
    expect(transport.isReading).toBe(true)
  })

  it('G25 counts no more what has been delivered, while others wait', async () => {
    const { authorize, answer } = asking()
    const { receive, transport, delivered } = setUp({ authorize })
    receive('x'.repeat(16_384))
    for (let i = 0; i < 10; i++) {
      receive('x'.repeat(16_384))
      await answer(i, true)
      expect(transport.isReading).toBe(true)
    }
    expect(delivered).toHaveLength(10)
  })

  it('G25 ends a connection that goes on after reading has stopped', () => {
    const { authorize } = asking()
    const { receive, transport, delivered } = setUp({ authorize })
    // One may be as large as it likes.
    receive('x'.repeat(20_000_000))
    for (let i = 0; i < 16; i++) receive('x'.repeat(1_048_576))
    expect(transport.calls).toEqual([])
    receive('x')
    expect(transport.calls).toEqual(['shut', 'close 4029 Too many attempts'])
    expect(delivered).toEqual([])
  })

  it('stops reading from a real socket, and loses nothing of what waits at its peer', async () => {
    const { authorize, asked, answer } = asking()
    const { connect, sockets, seen } = live({
      server: { authorize: (connection, [data]) => authorize(connection, String(data)) },
    })
    const client = await connect()
    const messages = Array.from({ length: 200 }, (_, i) => `${i} ${'x'.repeat(1_000)}`)
    for (const message of messages) client.send(message)
    expect(sockets[0]?.isPaused).toBe(true)
    for (let i = 0; i < messages.length; i++) {
      while (asked.length <= i) await nextTurn()
      await answer(i, true)
    }
    expect(seen.slice(1)).toEqual(messages)
    expect(sockets[0]?.isPaused).toBe(false)
  })

  describe('ends the connection with 1011 when it cannot be asked', () => {
    it.each<[string, () => boolean | Promise<boolean>]>([
      [
        'throws',
        () => {
          throw new Error('authorize bug')
        },
      ],
      ['rejects', async () => Promise.reject(new Error('authorize bug'))],
    ])('because it %s', async (_, fail) => {
      const { receive, delivered, transport, ended } = setUp({
        authorize: (_, message) => (message === 'bug' ? fail() : true),
      })
      for (const message of ['fine', 'bug', 'behind']) receive(message)
      await nextTurn()
      receive('later')
      expect(delivered).toEqual(['fine'])
      expect(transport.calls).toEqual(['shut', 'close 1011 Internal error'])
      expect(ended()).toEqual([expect.objectContaining({ code: 'internal', error: new Error('authorize bug') })])
    })

    it('also about a message that waited', async () => {
      const { authorize, answer } = asking()
      const { receive, delivered, transport } = setUp({
        authorize: (connection, message) => {
          if (message === 'bug') throw new Error('authorize bug')
          return authorize(connection, message)
        },
      })
      for (const message of ['a', 'bug', 'behind']) receive(message)
      await answer(0, true)
      expect(delivered).toEqual(['a'])
      expect(transport.calls.at(-1)).toBe('close 1011 Internal error')
    })

    it('also when the application fails with a message that waited', async () => {
      const clock = testClock()
      const guard = createGuard({ ...allMethods(), clock })
      guard.subscribe(() => {})
      const transport = fakeTransport()
      const connection = liveConnections(guard).open(
        { type: 'accept', method: 'header', identity: { id: 'ada' }, vouchedAt: 0 },
        handshake(),
        transport,
      )!
      const door = innerDoor<Identity, string>({
        connections: liveConnections(guard),
        connection,
        clock,
        authorize: async () => true,
        sizeOf: (message) => message.length,
        deliver: () => {
          throw new Error('application bug')
        },
      })
      door('a')
      await nextTurn()
      expect(transport.calls).toEqual(['shut', 'close 1011 Internal error'])
    })
  })

  describe('F20 asks again, before it delivers, whether the connection is still good', () => {
    const waits = ['a', 'b']
    async function waiting() {
      const { authorize, answer } = asking()
      const set = setUp({ authorize })
      for (const message of waits) set.receive(message)
      return { ...set, answer }
    }

    it('F20 and delivers when nothing happened', async () => {
      const { answer, delivered, clock } = await waiting()
      clock.advance(64_999)
      await answer(0, true)
      await answer(1, true)
      expect(delivered).toEqual(waits)
    })

    it('F20 not when it has expired meanwhile', async () => {
      const { answer, delivered, clock, transport } = await waiting()
      clock.advance(65_000)
      await answer(0, true)
      expect(delivered).toEqual([])
      expect(transport.calls).toEqual(['shut', 'close 4019 Credential expired'])
    })

    it('F20 not when it expires between two of them', async () => {
      const { answer, delivered, clock } = await waiting()
      await answer(0, true)
      clock.advance(65_000)
      await answer(1, true)
      expect(delivered).toEqual(['a'])
    })

    it.each<[RevocationTarget, string[]]>([
      [{ user: 'ada' }, []],
      [{ session: 's1' }, []],
      [{ token: 't1' }, []],
      ['all', []],
      [{ user: 'eve' }, waits],
      [{ session: 's2' }, waits],
    ])('F20 revoked meanwhile: %j', async (target, expected) => {
      const { answer, delivered, guard } = await waiting()
      await guard.revoke(target)
      await answer(0, true)
      if (expected.length > 0) await answer(1, true)
      expect(delivered).toEqual(expected)
    })

    it('F20 nor sends it the answer to a denial', async () => {
      const { answer, transport, guard } = await waiting()
      await guard.revoke({ user: 'ada' })
      await answer(0, 'no')
      expect(transport.calls).toEqual(['shut', 'close 4010 Revoked'])
    })

    it('F20 with the permissions that a renewal has brought', async () => {
      const roles: unknown[] = []
      const { receive, guard, connection, accept, clock } = setUp({
        authorize: ({ identity }) => {
          roles.push((identity as { role?: string }).role)
          return true
        },
      })
      receive('before')
      const identity = { ...accept.identity, role: 'reader' }
      liveConnections(guard).renewals.renew(connection, { ...accept, identity, issuedAt: clock.now() + 1 })
      receive('after')
      expect(roles).toEqual([undefined, 'reader'])
    })
  })

  describe('messagesPerSecond', () => {
    it('lets that many pass in each second', () => {
      const { receive, delivered, clock, guard } = setUp({ messagesPerSecond: 3 })
      for (let second = 0; second < 5; second++) {
        for (let i = 0; i < 3; i++) receive(`${second}-${i}`)
        clock.advance(1_000)
      }
      expect(delivered).toHaveLength(15)
      expect(guard.connections.size).toBe(1)
    })

    it('closes with 4029 at one more, which is not delivered', () => {
      const { receive, delivered, transport, ended } = setUp({ messagesPerSecond: 3 })
      for (const message of ['a', 'b', 'c', 'd', 'e']) receive(message)
      expect(delivered).toEqual(['a', 'b', 'c'])
      expect(transport.calls).toEqual(['shut', 'close 4029 Too many attempts'])
      expect(ended().map(({ code }) => code)).toEqual(['limited'])
    })

    it('G26 counts those that are for the guard itself, which nobody else sees', () => {
      const asked: string[] = []
      const { receive, delivered, transport } = setUp({
        messagesPerSecond: 3,
        takes: (message) => message === 'frame',
        authorize: (_, message) => asked.push(message) > 0,
      })
      for (const message of ['frame', 'a', 'frame']) receive(message)
      expect([delivered, asked, transport.calls]).toEqual([['a'], ['a'], []])
      receive('frame')
      expect(transport.calls).toEqual(['shut', 'close 4029 Too many attempts'])
    })

    it('counts those that wait, and those that are denied', async () => {
      const { authorize, asked } = asking()
      const [waiting, denied] = [
        setUp({ messagesPerSecond: 3, authorize }),
        setUp({ messagesPerSecond: 3, authorize: () => false }),
      ]
      for (const { receive } of [waiting, denied]) for (const message of ['a', 'b', 'c', 'd']) receive(message)
      expect(asked).toHaveLength(1)
      for (const { transport } of [waiting, denied]) expect(transport.calls.at(-1)).toBe('close 4029 Too many attempts')
      asked[0]?.answer.resolve(true)
      await nextTurn()
      expect(waiting.delivered).toEqual([])
    })
  })
})
