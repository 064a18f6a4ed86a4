import type { WireMessage } from '@sallyport/server'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { liveConnections } from '../../src/connections/of-guard.js'
import { microtasks, nextTurn } from '../support/deferred.js'
import { fixtures } from '../support/dialects.js'
import { handshake } from '../support/handshake.js'
import { fakeTransport } from '../support/transport.js'
import { badCredentials, damaged, fuzz, moods, narrowGuard, share, textDamage, timeFor } from './inputs.js'

const names = Object.keys(fixtures)
const secrets = ['good-ada', 'good-bob']

/** What a client says in a protocol: first messages, whole, cut or damaged, what follows one, and what is none. */
function messagesOf(name: string): fc.Arbitrary<WireMessage[]> {
  const { hello, behind, broken, others, again } = fixtures[name]!
  const good = fc.constantFrom(...secrets).map(hello)
  const said = fc.oneof(
    { weight: 4, arbitrary: good },
    { weight: 2, arbitrary: fc.constantFrom('', ...badCredentials.filter((bad) => /^[!-~]*$/.test(bad))).map(hello) },
    { weight: 1, arbitrary: fc.constantFrom(behind, ...Object.values(broken), ...Object.values(others)) },
    ...(again ? [{ weight: 1, arbitrary: fc.constantFrom('bad', ...secrets).map(again) }] : []),
  )
  const harmed = said.chain((message) =>
    typeof message === 'string'
      ? textDamage.map((harm): WireMessage => harm(message))
      : damaged(fc.constant(Buffer.from(message))).map((bytes): WireMessage => bytes),
  )
  const inPieces = fc
    .tuple(fc.oneof(said, harmed), fc.nat(60), fc.boolean())
    .map(([message, at, isCut]) => (isCut ? [message.slice(0, at), message.slice(at)] : [message]))
  return fc.array(inPieces, { maxLength: 4 }).map((pieces) => pieces.flat())
}

const histories = fc.record({
  history: fc.constantFrom(...names).chain((name) => messagesOf(name).map((messages) => ({ name, messages }))),
  turns: fc.array(fc.boolean(), { maxLength: 8 }),
  mood: moods,
})
const inputs = share(1 / 10)

it(`in process, lets nobody of ${inputs} in without a good credential in the words of the protocol, nor shows it`, {
  timeout: timeFor(inputs),
}, async () => {
  const { clock, verifier, guard } = narrowGuard()
  let accepted = 0
  await fuzz(histories, inputs, async ({ history: { name, messages }, turns, mood }) => {
    verifier.reset(mood)
    const { dialect } = fixtures[name]!
    const request = handshake()
    const transport = fakeTransport(dialect)
    const verdict = await guard.decide(request)
    if (verdict.type !== 'await') throw new Error(`the verdict is to ${verdict.type}`)
    const opened: { readonly user: string; readonly kept: WireMessage[] }[] = []
    const first = liveConnections(guard).undecided.wait<WireMessage>(verdict, {
      handshake: request,
      transport,
      wire: {
        sizeOf: (message) => message.length,
        has: (message, mark) => typeof message === 'string' && message.includes(mark),
        read: (message) => message,
        write: (message) => message,
      },
      onDecided: () => {},
      onOpen: ({ identity }, kept) => opened.push({ user: identity.id, kept }),
    })
    for (const [i, message] of messages.entries()) {
      if (opened.length > 0 || !transport.isOpen) break
      first.receive(message)
      if (turns[i]) await microtasks(20)
    }
    await nextTurn()
    for (let i = 0; i < 2; i++) {
      clock.advance(6_000)
      await nextTurn()
    }
    const { isOpen } = transport
    transport.drop()
    expect(guard.connections.size).toBe(0)
    expect(clock.pending).toBe(0)
    expect(verifier.asked.length).toBeLessThanOrEqual(1)
    const [credential = ''] = verifier.asked
    if (opened[0]) {
      expect(credential).toBe(`good-${opened[0].user}`)
      // Whoever writes it into other fields too, or says it again behind it, shows it.
      const times = Buffer.concat(messages.map((message) => Buffer.from(message)))
        .toString('latin1')
        .split(credential)
      if (times.length === 2) expect(opened[0].kept.map(String).join()).not.toContain(credential)
      accepted++
    } else {
      expect(isOpen).toBe(false)
      if (secrets.includes(credential)) expect(transport.calls.join()).not.toContain(credential)
    }
    clock.advance(60_000)
  })
  expect(accepted).toBeGreaterThan(inputs / 20)
})
