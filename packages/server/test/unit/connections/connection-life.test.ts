import {
  type Accept,
  createGuard,
  firstMessage,
  header,
  type Identity,
  memoryStore,
  type Places,
  type Verifier,
} from '@sallyport/server'
import { testClock } from '@sallyport/server/testing'
import { describe, expect, it } from 'vitest'
import { liveConnections } from '../../../src/connections/of-guard.js'
import { plain } from '../../../src/dialects/plain.js'
import { cutStore } from '../../support/cut-store.js'
import { deferred, nextTurn } from '../../support/deferred.js'
import { handshake } from '../../support/handshake.js'
import { fakeTransport, texts } from '../../support/transport.js'

const auth = JSON.stringify({ type: 'auth', token: 'ada' })
const life = { leeway: 5_000, maxAge: 600_000 }

/** A guard whose verifier finds every credential good, and says `answer` of it. */
function setUp({ answer = {}, limit }: { answer?: Partial<Accept>; limit?: Places } = {}) {
  const clock = testClock()
  const verify: Verifier<Identity> = async (id, { now }) => ({
    identity: { id },
    issuedAt: now,
    lookedUpAt: now,
    ...answer,
  })
  const guard = createGuard({
    clock,
    life,
    ...(limit && { connectionsPerIdentity: limit }),
    accept: [header({ verify }), firstMessage({ verify })],
  })
  const connections = liveConnections(guard)
  const events: string[] = []
  guard.subscribe(({ type }) => events.push(type))
  const accepted = (changes: Partial<Accept> = {}): Accept => ({
    type: 'accept',
    method: 'header',
    identity: { id: 'ada' },
    issuedAt: clock.now(),
    vouchedAt: clock.now(),
    ...changes,
  })
  const open = (changes: Partial<Accept> = {}) => {
    const transport = fakeTransport()
    const accept = accepted(changes)
    const talk = accept.method === 'message' ? plain.converse() : undefined
    return { transport, connection: connections.open(accept, handshake(), transport, talk) }
  }
  return { clock, guard, connections, events, accepted, open }
}

describe('a connection is not opened', () => {
  it('when its credential has ended, to the millisecond', () => {
    const { clock, events, open } = setUp()
    const last = open({ expiresAt: clock.now() - life.leeway + 1 })
    expect(last.connection).toBeDefined()
    const late = open({ expiresAt: clock.now() - life.leeway })
    expect(late.connection).toBeUndefined()
    expect(late.transport.calls).toEqual(['shut', expect.stringMatching(/^close 4019 /)])
    expect(events).toEqual(['accepted', 'ended'])
  })

  it('while the node drains', async () => {
    const { guard, open } = setUp()
    expect(open().connection).toBeDefined()
    void guard.drain()
    const late = open()
    expect(late.connection).toBeUndefined()
    expect(late.transport.calls).toEqual(['shut', expect.stringMatching(/^close 1012 /)])
  })

  it.each([
    [4_999, 1],
    [5_000, 0],
  ])('by a first message whose credential ended %i ms ago: %i', async (ago, opened) => {
    const { guard } = setUp({ answer: { expiresAt: testClock().now() - ago } })
    const transport = fakeTransport()
    let opens = 0
    const wait = { type: 'await', timeout: 5_000, maxBytes: 8_192 } as const
    const onOpen = () => {
      opens += 1
    }
    const pending = { handshake: handshake(), transport, wire: texts, onDecided() {}, onOpen }
    liveConnections(guard).undecided.wait<string>(wait, pending).receive(auth)
    await nextTurn()
    expect(opens).toBe(opened)
    expect(transport.calls.filter((call) => call.startsWith('close'))).toHaveLength(1 - opened)
  })
})

describe('a socket that waits', () => {
  it('makes room for another until its credential has come', async () => {
    const { guard } = setUp()
    const start = () => {
      const transport = fakeTransport()
      const wait = { type: 'await', timeout: 5_000, maxBytes: 8_192 } as const
      const pending = { handshake: handshake(), transport, wire: texts, onDecided() {}, onOpen() {} }
      return { transport, first: liveConnections(guard).undecided.wait<string>(wait, pending) }
    }
    const [silent, good] = [start(), start()]
    expect(silent.first.evict()).toBe(true)
    expect(silent.transport.isOpen).toBe(false)
    good.first.receive(auth)
    expect(good.first.evict()).toBe(false)
    await nextTurn()
    expect(guard.connections.size).toBe(1)
  })
})

describe('a connection lives', () => {
  it('until its credential ends, and as much longer as clocks may differ', () => {
    const { clock, connections, open } = setUp()
    const { connection } = open({ expiresAt: clock.now() + 60_000 })
    clock.advance(64_999)
    expect(connections.isOpen(connection!)).toBe(true)
    clock.advance(1)
    expect(connections.isOpen(connection!)).toBe(false)
  })

  it('for its greatest age at most, however long its credential is good', () => {
    const { clock, connections, open } = setUp()
    const { connection } = open({ expiresAt: clock.now() + 3_600_000 })
    clock.advance(life.maxAge - 1)
    expect(connections.isOpen(connection!)).toBe(true)
    clock.advance(1)
    expect(connections.isOpen(connection!)).toBe(false)
  })

  it('by the newest credential, not by the one that came last', () => {
    const { clock, connections, accepted, open } = setUp()
    const { connection } = open({ expiresAt: clock.now() + 60_000 })
    const expiresAt = clock.now() + 90_000
    expect(connections.renewals.renew(connection!, accepted({ issuedAt: clock.now() - 1, expiresAt }))).toBe(true)
    expect(connection!.expiresAt).toBe(clock.now() + 60_000)
    expect(connections.renewals.renew(connection!, accepted({ issuedAt: clock.now(), expiresAt }))).toBe(true)
    expect(connection!.expiresAt).toBe(expiresAt)
  })

  it('no longer by a renewal that comes behind its end, though no timer has run', () => {
    const { clock, connections, open } = setUp()
    // Its end falls into the middle of a second, at whose end the timer is.
    const { connection } = open({ expiresAt: clock.now() + 60_500 })
    clock.advance(65_499)
    expect(connections.find({ connection: connection!.id })).toEqual([connection])
    clock.advance(1)
    expect(connections.find({ connection: connection!.id })).toEqual([])
  })

  it('by one renewal at a time', async () => {
    const clock = testClock()
    const released = deferred()
    let asked = 0
    const verify: Verifier<Identity> = async (id) => {
      asked += 1
      await released.promise
      return { identity: { id } }
    }
    const connections = liveConnections(createGuard({ clock, accept: [firstMessage({ verify })] }))
    const accept: Accept = { type: 'accept', method: 'message', identity: { id: 'ada' }, vouchedAt: clock.now() }
    const connection = connections.open(accept, handshake(), fakeTransport(), plain.converse())!
    connections.renewals.receive(connection, auth)
    connections.renewals.receive(connection, auth)
    expect(asked).toBe(1)
    released.resolve()
    await nextTurn()
    connections.renewals.receive(connection, auth)
    expect(asked).toBe(2)
  })
})

describe('a renewal in-band', () => {
  it.each([
    [life.leeway - 1, 'send {"type":"auth_ok"'],
    [life.leeway, 'shut'],
  ])('is acknowledged only if the connection lives on by it: it ended %i ms ago', async (ago, answer) => {
    const { clock, open, connections } = setUp({ answer: { expiresAt: testClock().now() - ago } })
    const { connection, transport } = open({ method: 'message', expiresAt: clock.now() + 60_000 })
    connections.renewals.receive(connection!, auth)
    await nextTurn()
    expect(transport.calls[0]?.startsWith(answer)).toBe(true)
  })
})

describe('a limit of connections', () => {
  const issuer = 'https://other.example'

  /** Takes a place, and opens the connection that it is for. */
  async function admitted({ connections, accepted }: ReturnType<typeof setUp>, changes: Partial<Accept> = {}) {
    const accept = await connections.takePlace(accepted(changes))
    const transport = fakeTransport()
    return { transport, connection: accept && connections.open(accept, handshake(), transport) }
  }

  /** A guard with one place for each, whose way to its store is in the test's hands. */
  function onStore(whenFull: Places['whenFull']) {
    const clock = testClock()
    const memory = memoryStore({ clock })
    /** What the next answer waits for. */
    const acquiring: { until: Promise<void> | undefined } = { until: undefined }
    const way = cutStore(clock, {
      ...memory,
      acquire: async (...place) => {
        await acquiring.until
        return memory.acquire(...place)
      },
    })
    const accept: Accept = { type: 'accept', method: 'header', identity: { id: 'ada' }, vouchedAt: clock.now() }
    const guard = createGuard({
      clock,
      accept: [header({ verify: () => accept })],
      connectionsPerIdentity: { max: 1, whenFull },
      store: way.store,
    })
    const connections = liveConnections(guard)
    const admit = () => connections.takePlace(accept)
    const open = async () => {
      const transport = fakeTransport()
      return { transport, connection: connections.open((await admit())!, handshake(), transport) }
    }
    const wait = async (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        clock.advance(1_000)
        await nextTurn()
      }
    }
    return { clock, way, acquiring, connections, admit, open, wait }
  }

  it('has no place for one more, and one for a namesake', async () => {
    const set = setUp({ limit: { max: 1, whenFull: 'refuse' } })
    const first = await admitted(set)
    expect(await set.connections.takePlace(set.accepted())).toBeUndefined()
    const namesake = await admitted(set, { identity: { id: 'ada', issuer } })
    expect([...set.connections]).toEqual([first.connection, namesake.connection])
  })

  it('replaces the oldest, where it is told to', async () => {
    const set = setUp({ limit: { max: 2, whenFull: 'replace' } })
    const opened = [await admitted(set), await admitted(set), await admitted(set)]
    expect([...set.connections]).toEqual([opened[1]?.connection, opened[2]?.connection])
    expect(opened[0]?.transport.calls).toEqual(['shut', expect.stringMatching(/^close 4009 /)])
  })

  it('replaces one that has a place but no socket yet', async () => {
    const set = setUp({ limit: { max: 1, whenFull: 'replace' } })
    const early = (await set.connections.takePlace(set.accepted()))!
    await admitted(set)
    const transport = fakeTransport()
    expect(set.connections.open(early, handshake(), transport)).toBeUndefined()
    expect(transport.calls).toEqual(['shut', expect.stringMatching(/^close 4009 /)])
    expect(set.connections.size).toBe(1)
  })

  it('gives the place back of a handshake that came to nothing', async () => {
    const set = setUp({ limit: { max: 1, whenFull: 'refuse' } })
    await set.connections.takePlace(set.accepted())
    set.clock.advance(14_999)
    expect(await set.connections.takePlace(set.accepted())).toBeUndefined()
    set.clock.advance(1)
    expect(await set.connections.takePlace(set.accepted())).toBeDefined()
  })

  it('keeps the place of an open connection for as long as it lives', async () => {
    const set = setUp({ limit: { max: 1, whenFull: 'refuse' } })
    const { transport } = await admitted(set)
    for (let second = 0; second < 300; second++) {
      set.clock.advance(1_000)
      await nextTurn()
    }
    expect(await set.connections.takePlace(set.accepted())).toBeUndefined()
    transport.drop()
    expect(await set.connections.takePlace(set.accepted())).toBeDefined()
  })

  it.each(['refuse', 'replace'] as const)(
    'ends a connection whose place others have, since the store could not be asked for long: %s',
    async (whenFull) => {
      const { open, way, connections, wait } = onStore(whenFull)
      const { transport } = await open()
      way.answers = false
      await wait(120)
      expect(transport.calls).toEqual([])
      way.answers = true
      const newer = await open()
      await wait(6)
      expect(transport.calls).toContainEqual(expect.stringMatching(/^close 4009 /))
      expect([...connections]).toEqual([newer.connection])
    },
  )

  it('keeps its place when the store is out of reach for a moment', async () => {
    const { open, way, admit, wait } = onStore('refuse')
    await open()
    way.answers = false
    await wait(6)
    way.answers = true
    // By now the place of a handshake that came to nothing would be free.
    await wait(9)
    expect(await admit()).toBeUndefined()
  })

  it('gives the place back of a connection that left while it was renewed', async () => {
    const { open, admit, clock, acquiring } = onStore('refuse')
    const { transport } = await open()
    const renewal = deferred()
    acquiring.until = renewal.promise
    clock.advance(6_000)
    transport.drop()
    renewal.resolve()
    acquiring.until = undefined
    await nextTurn()
    expect(await admit()).toBeDefined()
    expect(await admit()).toBeUndefined()
  })
})

describe('a revocation', () => {
  it('takes from a slow reader what waits for it, which a restart does not', async () => {
    const { guard, connections, accepted } = setUp()
    const slow = (id: string) => {
      const transport = { ...fakeTransport(), bufferedAmount: 1, isReading: true, isOpen: true }
      connections.open(accepted({ identity: { id } }), handshake(), transport)
      return transport
    }
    const [revoked, restarted] = [slow('ada'), slow('eve')]
    await guard.revoke({ user: 'ada' })
    expect(revoked.calls).toEqual(['shut', 'terminate'])
    void guard.drain()
    expect(restarted.calls).toEqual(['shut', expect.stringMatching(/^close 1012 /)])
  })

  it('names a time, or is refused', async () => {
    const { guard, open } = setUp()
    open()
    await expect(guard.revoke({ issuedBefore: Number.NaN })).rejects.toThrow(TypeError)
    await expect(guard.revoke({ user: 'ada', issuedBefore: Number.NaN })).rejects.toThrow(TypeError)
    expect(guard.connections.size).toBe(1)
    await expect(guard.revoke({ issuedBefore: Number.POSITIVE_INFINITY })).rejects.toThrow(TypeError)
    expect(guard.connections.size).toBe(1)
    expect(await guard.revoke({ issuedBefore: Date.UTC(2100, 0) })).toMatchObject({ closed: 1 })
  })
})
