import { type Accept, type Identity, type Reason, rejected, type Verdict } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { awaitFirstMessage } from '../../../src/connections/first-message.js'
import { refuse } from '../../../src/verdict.js'
import { testClock } from '../../support/clock.js'
import { deferred, nextTurn } from '../../support/deferred.js'
import { fakeTransport, texts } from '../../support/transport.js'

const accept: Accept = { type: 'accept', method: 'message', identity: { id: 'ada' }, vouchedAt: 0 }
const auth = (token = 'x') => JSON.stringify({ type: 'auth', token })

function setUp({ timeout = 5_000, maxBytes = 100 } = {}) {
  const clock = testClock()
  const transport = fakeTransport()
  const verdict = deferred<Verdict>()
  const decided: string[] = []
  const failures: Reason[] = []
  let places = 1
  const abandoned: Verdict[] = []
  const accepted: { accept: Accept; kept: string[] }[] = []
  const first = awaitFirstMessage<Identity, string>({
    wait: { type: 'await', timeout, maxBytes },
    clock,
    transport,
    wire: texts,
    linger: (end) => clock.after(1_000, end),
    onDecided() {
      places -= 1
    },
    decide: (credential) => {
      decided.push(credential)
      return verdict.promise
    },
    onAbandon: (verdict) => void abandoned.push(verdict),
    onFail: (reason) => failures.push(reason),
    onAccept: (accept, kept) => accepted.push({ accept, kept }),
  })
  const answer = async (value: Verdict) => {
    verdict.resolve(value)
    await nextTurn()
  }
  const text = (message: string) => first.receive(message)
  return {
    clock,
    transport,
    verdict,
    decided,
    failures,
    abandoned,
    accepted,
    first,
    answer,
    text,
    /** How many places it holds. */
    places: () => places,
  }
}

const timedOut = ['shut', 'close 4001 Authentication timeout']
const tooLarge = ['shut', 'close 1009 Credential too large']

describe('awaitFirstMessage', () => {
  it('asks the guard with the first auth frame, and says nothing until it knows', async () => {
    const { decided, transport, text, accepted, answer, clock } = setUp()
    text(auth())
    expect(decided).toEqual(['x'])
    expect(clock.pending).toBe(0)
    await answer(accept)
    expect(accepted).toEqual([{ accept, kept: [] }])
    expect(transport.calls).toEqual([])
  })

  it('stops reading from who sends more than the limit while it verifies', async () => {
    const { first, text, transport } = setUp({ maxBytes: 100 })
    expect(transport.isReading).toBe(true)
    text(auth())
    first.count(101)
    expect(transport.isReading).toBe(false)
    expect(transport.calls).toEqual([])
  })

  it('drops what comes before the credential and keeps what comes behind it, in order', async () => {
    const { text, accepted, answer, decided } = setUp()
    text('before')
    text(auth())
    text('behind')
    text(auth('again'))
    await answer(accept)
    text('too late for it')
    expect(decided).toEqual(['x'])
    expect(accepted).toEqual([{ accept, kept: ['behind', auth('again')] }])
  })

  it('G25 keeps a thousand messages, and refuses who sends more, however small they are', async () => {
    const [many, more] = [setUp(), setUp()]
    for (const { text } of [many, more]) {
      text(auth())
      for (let i = 0; i < 1_024; i++) text('')
    }
    more.text('')
    expect(many.transport.calls).toEqual([])
    expect(more.transport.calls).toEqual(['shut', 'close 4029 Too many attempts'])
    expect(more.failures).toEqual(['messages-too-many'])
    await many.answer(accept)
    await more.answer(accept)
    expect(many.accepted[0]?.kept).toHaveLength(1_024)
    expect(more.accepted).toEqual([])
  })

  it.each<[string, Verdict, string[]]>([
    [
      'a bad credential',
      refuse('credential-unknown'),
      ['send {"type":"auth_fail"}', 'close 4001 Authentication failed'],
    ],
    ['a malformed one', refuse('credential-malformed'), ['send {"type":"auth_fail"}', 'close 1008 Bad request']],
    ['one that is bound elsewhere', refuse('ticket-binding'), ['send {"type":"auth_fail"}', 'close 4003 Forbidden']],
    ['too many attempts', refuse('attempts'), ['close 4029 Too many attempts']],
    ['a dependency that is down', refuse('dependency-unavailable'), ['close 1013 Temporarily unavailable']],
    ['a bug', refuse('internal-error'), ['close 1011 Internal error']],
    [
      'no decision',
      { type: 'await', timeout: 1, maxBytes: 1 },
      ['send {"type":"auth_fail"}', 'close 4001 Authentication failed'],
    ],
  ])('refuses %s', async (_, verdict, [...said]) => {
    const { text, transport, accepted, answer } = setUp()
    text(auth())
    text('behind')
    await answer(verdict)
    const close = said.pop()
    expect(transport.calls).toEqual([...said, 'shut', close])
    expect(transport.isReading).toBe(true)
    expect(accepted).toEqual([])
    text(auth())
    expect(transport.calls).toHaveLength(said.length + 2)
  })

  it('closes with 1011 when the guard or the adapter fails', async () => {
    const { text, transport, verdict, failures } = setUp()
    text(auth())
    verdict.reject(new Error('bug'))
    await nextTurn()
    expect(transport.calls).toEqual(['shut', 'close 1011 Internal error'])
    expect(failures).toEqual(['internal-error'])
  })

  it('waits for the time that it is told, whatever comes', () => {
    const { clock, transport, first, text, failures } = setUp({ timeout: 5_000 })
    for (let i = 0; i < 4; i++) {
      clock.advance(1_000)
      text('x')
      first.count(7)
    }
    clock.advance(999)
    expect(transport.calls).toEqual([])
    clock.advance(1)
    expect(transport.calls).toEqual(timedOut)
    expect(failures).toEqual(['message-late'])
    text(auth())
    expect(transport.calls).toEqual(timedOut)
  })

  it('G61 keeps 64 KiB more where nobody can stop reading, and refuses who sends more', () => {
    const [much, more] = [setUp({ maxBytes: 100 }), setUp({ maxBytes: 100 })]
    for (const { text, first, transport } of [much, more]) {
      delete transport.pause
      text(auth())
      first.count(100 + 65_536)
    }
    more.first.count(1)
    expect(much.transport.calls).toEqual([])
    expect(more.transport.calls).toEqual(['shut', 'close 4029 Too many attempts'])
    expect(more.failures).toEqual(['messages-too-many'])
  })

  it('terminates a second after Close, unless the peer has left', () => {
    const [stubborn, gone] = [setUp(), setUp()]
    for (const { clock } of [stubborn, gone]) clock.advance(5_000)
    gone.transport.drop()
    expect(gone.clock.pending).toBe(0)
    stubborn.clock.advance(999)
    expect(stubborn.transport.calls).not.toContain('terminate')
    stubborn.clock.advance(1)
    expect(stubborn.transport.calls.at(-1)).toBe('terminate')
    expect(stubborn.clock.pending).toBe(0)
  })

  it('does not time out while it verifies', async () => {
    const { clock, transport, text, answer, accepted } = setUp({ timeout: 5_000 })
    clock.advance(4_999)
    text(auth())
    clock.advance(60_000)
    await answer(accept)
    expect(transport.calls).toEqual([])
    expect(accepted).toHaveLength(1)
  })

  it('counts all bytes', () => {
    const { first, transport, failures } = setUp({ maxBytes: 8_192 })
    for (let i = 0; i < 8; i++) first.count(1_024)
    expect(transport.calls).toEqual([])
    first.count(1)
    expect(transport.calls).toEqual(tooLarge)
    expect(failures).toEqual(['credential-too-large'])
    first.count(1_000_000)
    expect(transport.calls).toEqual(tooLarge)
  })

  it('does not count against who is being verified', () => {
    const { first, transport, text } = setUp()
    text(auth())
    first.count(65_536)
    expect(transport.calls).toEqual([])
  })

  it.each<[string, Verdict]>([
    ['accept', accept],
    ['refuse', refuse('credential-unknown')],
  ])('hands back the verdict of a socket that has closed: %s', async (_, verdict) => {
    const { text, transport, abandoned, accepted, answer, failures, clock } = setUp()
    text(auth())
    transport.drop()
    await answer(verdict)
    expect(accepted).toEqual([])
    expect(abandoned).toEqual([verdict])
    expect(failures).toEqual([])
    expect(transport.calls).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('leaves no timer behind a socket that closes early', () => {
    const { transport, clock, text } = setUp()
    expect(clock.pending).toBe(1)
    transport.drop()
    expect(clock.pending).toBe(0)
    text(auth())
    expect(transport.calls).toEqual([])
  })

  const ways: [string, (set: ReturnType<typeof setUp>) => unknown][] = [
    ['is accepted', ({ answer }) => answer(accept)],
    ['is refused', ({ answer }) => answer(refuse('credential-unknown'))],
    ['is let down by the guard', ({ verdict }) => verdict.reject(new Error('bug'))],
    ['has left', ({ transport }) => transport.drop()],
  ]

  it.each(ways)('G20 leaves its place as soon as it %s, and once', async (_, way) => {
    const set = setUp()
    set.text(auth())
    expect(set.places()).toBe(1)
    await way(set)
    await nextTurn()
    expect(set.places()).toBe(0)
    set.transport.drop()
    expect(set.places()).toBe(0)
  })

  it('G20 leaves its place when it is late, says too much or has to make room', () => {
    for (const provoke of [
      ({ clock }: ReturnType<typeof setUp>) => clock.advance(5_000),
      ({ first }: ReturnType<typeof setUp>) => first.count(10_000),
      ({ first }: ReturnType<typeof setUp>) => first.evict(),
    ]) {
      const set = setUp()
      expect(set.places()).toBe(1)
      provoke(set)
      expect(set.places()).toBe(0)
      // It has its second to answer the Close all the same.
      expect(set.transport.calls).not.toContain('terminate')
    }
  })

  it('passes no rejection of the guard to the client', async () => {
    const { text, transport, answer } = setUp()
    text(auth())
    // Not a verdict: what a guard of somebody else's might answer.
    await answer(rejected('credential-unknown') as never)
    expect(transport.calls.at(-1)).toMatch(/^close 4001 /)
  })
})
