import fc from 'fast-check'
import { expect, it } from 'vitest'
import { liveConnections } from '../../src/connections/of-guard.js'
import { microtasks, nextTurn } from '../support/deferred.js'
import { handshake } from '../support/handshake.js'
import { fakeTransport } from '../support/transport.js'
import { badAuthFrames, credentials, damagedText, fuzz, moods, narrowGuard, share, timeFor } from './inputs.js'

/** What happens to a socket between the doors. */
type Step =
  | { readonly do: 'text'; readonly text: string }
  | { readonly do: 'binary' | 'drop' | 'evict' | 'turn' }
  | { readonly do: 'bytes'; readonly count: number }
  | { readonly do: 'time'; readonly ms: number }

const authFrame = credentials.map((token) => JSON.stringify({ type: 'auth', token }))
const texts = fc.oneof(authFrame, damagedText(authFrame), badAuthFrames)
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: texts.map((text) => ({ do: 'text' as const, text })) },
  { weight: 2, arbitrary: fc.constant({ do: 'turn' as const }) },
  { weight: 1, arbitrary: fc.constantFrom('binary', 'drop', 'evict').map((name) => ({ do: name })) },
  { weight: 1, arbitrary: fc.constantFrom(1, 8_192, 9_217).map((count) => ({ do: 'bytes' as const, count })) },
  { weight: 1, arbitrary: fc.constantFrom(1, 4_999, 5_000).map((ms) => ({ do: 'time' as const, ms })) },
)
const histories = fc.record({ steps: fc.array(steps, { maxLength: 6 }), mood: moods })
const inputs = share(2 / 10)

const textOf = (step: Step): string | Uint8Array => (step.do === 'text' ? step.text : new Uint8Array())

/** Whether a message is the whole frame with that credential. */
function brings(text: string, credential: string): boolean {
  try {
    expect(JSON.parse(text)).toEqual({ type: 'auth', token: credential })
    return true
  } catch {
    return false
  }
}

it(`in process, lets nobody of ${inputs} through the inner door without a good first message`, {
  timeout: timeFor(inputs),
}, async () => {
  const { clock, verifier, guard } = narrowGuard()
  let accepted = 0
  await fuzz(histories, inputs, async ({ steps, mood }) => {
    verifier.reset(mood)
    const request = handshake()
    const transport = fakeTransport()
    const place = guard.enter(request)
    if ('reason' in place) throw new Error('a place was not given back')
    const verdict = await guard.decide(request)
    if (verdict.type !== 'await') throw new Error(`the verdict is to ${verdict.type}`)
    const opened: { readonly user: string; readonly kept: number[] }[] = []
    const first = liveConnections(guard).undecided.wait<number>(verdict, {
      handshake: request,
      transport,
      wire: { sizeOf: () => 1, has: () => true, read: (i) => textOf(steps[i]!), write: () => -1 },
      onDecided: () => place.leave(),
      onOpen: ({ identity }, kept) => opened.push({ user: identity.id, kept }),
    })
    place.wait(() => first.evict())

    for (const [i, step] of steps.entries()) {
      // What comes over an open connection, or one that is gone, is no first message.
      if (opened.length > 0 || !transport.isOpen) break
      if (step.do === 'text' || step.do === 'binary') first.receive(i)
      else if (step.do === 'bytes') first.count(step.count)
      else if (step.do === 'time') clock.advance(step.ms)
      else if (step.do === 'drop') transport.drop()
      else if (step.do === 'turn') await microtasks(20)
      else first.evict()
    }
    await nextTurn()
    // The deadlines of the message and of the verifier, each with the second that the peer has to close.
    for (let i = 0; i < 2; i++) {
      clock.advance(6_000)
      await nextTurn()
    }

    const { isOpen } = transport
    transport.drop()
    expect(guard.connections.size).toBe(0)
    expect(clock.pending).toBe(0)
    expect(opened.length).toBeLessThanOrEqual(1)
    expect(verifier.asked.length).toBeLessThanOrEqual(1)
    const said = transport.calls.filter((call) => call.startsWith('send'))
    if (opened[0]) {
      const [credential = ''] = verifier.asked
      expect(credential).toBe(`good-${opened[0].user}`)
      const at = steps.findIndex((step) => step.do === 'text' && brings(step.text, credential))
      expect(at).not.toBe(-1)
      expect(opened[0].kept.filter((index) => index <= at)).toEqual([])
      expect(opened[0].kept).toEqual([...opened[0].kept].sort((a, b) => a - b))
      expect(said).toEqual([expect.stringContaining('"auth_ok"')])
      accepted++
    } else {
      expect(['', 'send {"type":"auth_fail"}']).toContain(said.join())
      expect(isOpen).toBe(false)
    }
    clock.advance(60_000)
  })
  expect(accepted).toBeGreaterThan(inputs / 20)
})
