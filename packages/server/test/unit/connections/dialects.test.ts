import {
  type Conversation,
  createGuard,
  type Dialect,
  firstMessage,
  type GuardEvent,
  type Heard,
  type Identity,
  type News,
} from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import type { LiveConnection } from '../../../src/connections/live-connection.js'
import { liveConnections } from '../../../src/connections/of-guard.js'
import { testClock } from '../../support/clock.js'
import { nextTurn } from '../../support/deferred.js'
import { verifyGood } from '../../support/guard.js'
import { handshake } from '../../support/handshake.js'
import { fakeTransport, texts } from '../../support/transport.js'

const bug = new Error('bug')

/** A protocol of words: `hello <credential> <more>` comes first, `again <credential> <more>` renews. */
const words = ({ broken }: { broken?: 'hear' | 'hearAgain' | News['type'] } = {}): Dialect => {
  const read = (word: string, message: string | Uint8Array): Heard => {
    const [first, credential, ...rest] = String(message).split(' ')
    if (first !== word) return undefined
    return credential === undefined ? 'absent' : credential === '?' ? 'malformed' : { credential, rest }
  }
  const converse = (): Conversation => ({
    hear(message) {
      if (broken === 'hear') throw bug
      return read('hello', message)
    },
    hearAgain(message) {
      if (broken === 'hearAgain') throw bug
      return read('again', message)
    },
    say(news) {
      if (broken === news.type) throw bug
      return news.type === 'refused' ? `no ${news.code}` : news.type
    },
  })
  return { closeCodes: { unauthenticated: 4401 }, converse }
}

function setUp(dialect: Dialect) {
  const clock = testClock()
  const guard = createGuard({
    clock,
    accept: [
      firstMessage({
        verify: (credential, context) => {
          const answer = verifyGood(credential, context)
          return 'identity' in answer ? { ...answer, expiresAt: clock.now() + 100_000 } : answer
        },
      }),
    ],
  })
  const events: GuardEvent[] = []
  guard.subscribe((event) => events.push(event))
  const transport = fakeTransport(dialect)
  const opened: { connection: LiveConnection<Identity>; kept: string[] }[] = []
  const first = liveConnections(guard).undecided.wait<string>(
    { type: 'await', timeout: 5_000, maxBytes: 8_192 },
    {
      handshake: handshake(),
      transport,
      wire: texts,
      onDecided() {},
      onOpen: (connection, kept) => opened.push({ connection, kept }),
    },
  )
  /** Says these one after the other, and waits for what comes of them. */
  const say = async (...messages: string[]) => {
    for (const message of messages) first.receive(message)
    await nextTurn()
  }
  const again = (message: string) => liveConnections(guard).renewals.receive(opened[0]!.connection, message)
  return { clock, guard, events, transport, opened, say, again }
}

describe('a dialect', () => {
  it('says how a credential comes, what the application gets in its place, and how that is told', async () => {
    const { say, opened, transport } = setUp(words())
    await say('before', 'hello good-ada x y', 'behind')
    expect(transport.calls).toEqual(['send accepted'])
    expect(opened.map(({ kept }) => kept)).toEqual([['x', 'y', 'behind']])
  })

  it.each([
    ['hello bad x', ['send no unauthenticated', 'shut', 'close 4401 Authentication failed'], 'credential-unknown'],
    ['hello', ['send no unauthenticated', 'shut', 'close 4401 Authentication failed'], 'credential-absent'],
    ['hello ?', ['send no badRequest', 'shut', 'close 1008 Bad request'], 'credential-malformed'],
  ])('says how it is refused, ahead of the Close: %s', async (message, calls, reason) => {
    const { say, opened, transport, events } = setUp(words())
    await say(message, 'behind')
    expect(transport.calls).toEqual(calls)
    expect(opened).toEqual([])
    expect(events).toEqual([expect.objectContaining({ type: 'refused', reason })])
  })

  it('says what renews, and lets what is behind it wait', async () => {
    const { say, again, transport, events } = setUp(words())
    await say('hello good-ada')
    transport.calls.length = 0
    expect(again('something else')).toBe(false)
    expect(again('again')).toBe(false)
    expect(again('again good-ada')).toBe(true)
    await nextTurn()
    expect(transport.calls).toEqual(['send accepted'])
    expect(await again('again good-ada x y')).toEqual(['x', 'y'])
    expect(events.filter(({ type }) => type === 'renewed')).toHaveLength(2)
  })

  it.each(['again bad x', 'again ?'])('keeps what comes with a bad one from the application: %s', async (message) => {
    const { say, again, transport, guard } = setUp(words())
    await say('hello good-ada')
    transport.calls.length = 0
    const taken = again(message)
    if (taken !== true) expect(await taken).toEqual([])
    await nextTurn()
    expect(transport.calls).toEqual([expect.stringMatching(/^send no /)])
    expect(guard.connections.size).toBe(1)
  })

  it('says that a credential is about to end', async () => {
    const { say, clock, transport } = setUp(words())
    await say('hello good-ada')
    clock.advance(99_000)
    expect(transport.calls).toEqual(['send accepted', 'send expiring'])
  })
})

describe('D41 a dialect that throws ends its own connection, with 1011, and is told of', () => {
  const ends = ['shut', 'close 1011 Internal error']

  it.each([
    ['hear', 'hello good-ada'],
    ['refused', 'hello bad'],
    ['refused', 'hello'],
  ] as const)('D41 before the accept, in %s, by %s', async (broken, message) => {
    const { say, opened, transport, events, guard } = setUp(words({ broken }))
    await say(message)
    expect(transport.calls).toEqual(ends)
    expect(opened).toEqual([])
    expect(events.at(-1)).toMatchObject({ type: 'refused', reason: 'internal-error', error: bug })
    expect(guard.connections.size).toBe(0)
  })

  it('D41 at the accept: the application never sees it', async () => {
    const { say, opened, transport, events, guard } = setUp(words({ broken: 'accepted' }))
    await say('hello good-ada')
    expect(transport.calls).toEqual(ends)
    expect(opened).toEqual([])
    expect(events.at(-1)).toMatchObject({ type: 'ended', code: 'internal', error: bug })
    expect(guard.connections.size).toBe(0)
  })

  it.each([
    ['hearAgain', 'hello'],
    ['refused', 'again bad x'],
  ] as const)('D41 afterwards, in %s', async (broken, message) => {
    const { say, again, transport, events, guard } = setUp(words({ broken }))
    await say('hello good-ada')
    const taken = again(message)
    if (taken !== true) expect(await taken).toEqual([])
    expect(transport.calls).toEqual(['send accepted', ...ends])
    expect(events.at(-1)).toMatchObject({ type: 'ended', code: 'internal', error: bug })
    expect(guard.connections.size).toBe(0)
  })

  it('D41 ahead of the end of its credential, and no timer is left', async () => {
    const { say, clock, transport, guard } = setUp(words({ broken: 'expiring' }))
    await say('hello good-ada')
    clock.advance(99_000)
    expect(transport.calls.slice(0, 3)).toEqual(['send accepted', ...ends])
    expect(guard.connections.size).toBe(0)
    clock.advance(10_000)
    expect(clock.pending).toBe(0)
  })
})
