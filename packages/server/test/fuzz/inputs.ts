import {
  createGuard,
  firstMessage,
  type Identity,
  UnavailableError,
  type Verification,
  type Verifier,
  type VerifyContext,
} from '@sallyport/server'
import fc from 'fast-check'
import { testClock } from '../support/clock.js'
import { microtasks } from '../support/deferred.js'
import { verifyGood } from '../support/guard.js'

/** How many inputs the fuzz tests try in all. */
const total = Number(process.env.FUZZ_INPUTS ?? 50_000)

/** Give the seed of a failure to repeat it, with the same FUZZ_INPUTS. */
export const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)

/** How many inputs a part of all is. */
export const share = (part: number): number => Math.ceil(total * part)

/** How long a test may take for that many inputs, in milliseconds: generous, for machines that do other work. */
export const timeFor = (inputs: number): number => 60_000 + 20 * inputs

/** Tries `check` on that many inputs. A failure says the seed and the smallest input that fails. */
export async function fuzz<T>(inputs: fc.Arbitrary<T>, numRuns: number, check: (input: T) => Promise<void>) {
  const details = await fc.check(fc.asyncProperty(inputs, check), { seed, numRuns })
  if (!details.failed) return
  throw new Error(`FUZZ_SEED=${seed} ${fc.defaultReportMessage(details)}`, { cause: details.errorInstance })
}

const edit = fc.record({ at: fc.nat(2_000), remove: fc.nat(3), insert: fc.uint8Array({ maxLength: 3 }) })

/** Damages some bytes, every other time: what a careless or hostile peer makes of something that is well-formed. */
const damage: fc.Arbitrary<(bytes: Buffer) => Buffer> = fc
  .oneof(fc.constant([]), fc.array(edit, { minLength: 1, maxLength: 3 }))
  .map(
    (edits) => (good) =>
      edits.reduce((bytes, { at, remove, insert }) => {
        const start = at % (bytes.length + 1)
        return Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)])
      }, good),
  )

/** The same for text. */
export const textDamage: fc.Arbitrary<(text: string) => string> = damage.map(
  (harm) => (text) => harm(Buffer.from(text)).toString(),
)

export const damaged = (good: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> =>
  fc.tuple(good, damage).map(([bytes, harm]) => harm(bytes))

export const damagedText = (good: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(good, textDamage).map(([text, harm]) => harm(text))

/** Mostly the first of them. */
export const mostly = <T>(usual: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(usual) }, { weight: 2, arbitrary: fc.constantFrom(...others) })

/** None of them is good, and none becomes good by an accident of three bytes. */
export const badCredentials = [
  'bad',
  'goo',
  'GOOD',
  '',
  ' ',
  '%00',
  'a'.repeat(43),
  'x'.repeat(5_000),
  '"',
  'é',
  '=',
  'null',
]

/** Good ones, as `verifyGood` knows them, and bad ones. */
export const credentials = fc.oneof(fc.constantFrom('good-ada', 'good-eve'), fc.constantFrom(...badCredentials))

/** Addresses as transports tell them, and as they do not. */
export const addresses = fc.constantFrom('192.0.2.1', '10.0.0.1', '::1', '::ffff:192.0.2.7', '2001:db8::1', 'x', '')

type Mood = 'prompt' | 'slow' | 'silent' | 'down' | 'broken'

/** How a verifier behaves. */
export const moods = mostly<Mood>('prompt', 'slow', 'silent', 'down', 'broken')

// Damage makes this one of a good one, and nobody has an empty name.
const verifyNamed: typeof verifyGood = (credential, context) =>
  verifyGood(credential === 'good-' ? 'bad' : credential, context)

/** A verifier of good credentials in any mood, and all that it was asked since the last reset. */
export class MoodyVerifier {
  mood: Mood = 'prompt'
  asked: string[] = []

  reset(mood: Mood): void {
    this.mood = mood
    this.asked = []
  }

  readonly verify: Verifier<Identity> = (credential, context) => {
    this.asked.push(credential)
    if (this.mood === 'prompt') return verifyNamed(credential, context)
    if (this.mood === 'broken') throw new TypeError('a bug')
    return this.#later(credential, context)
  }

  async #later(credential: string, context: VerifyContext): Promise<Verification> {
    if (this.mood === 'silent') return new Promise(() => {})
    await microtasks(5)
    if (this.mood === 'down') throw new UnavailableError('down')
    return verifyNamed(credential, context)
  }
}

/** A guard that takes a first message, with one place before it: one that is not given back leaves none for the next. */
export function narrowGuard() {
  const clock = testClock()
  const verifier = new MoodyVerifier()
  const guard = createGuard({
    limits: { pendingSockets: 1, pendingPerAddress: 1, failedAttempts: 1_000 },
    accept: [firstMessage({ verify: verifier.verify })],
    clock,
  })
  guard.subscribe(() => {})
  return { clock, verifier, guard }
}

/** What clients send as a first message without a good credential. */
export const badAuthFrames = fc.oneof(
  fc.constantFrom(...badCredentials).map((token) => JSON.stringify({ type: 'auth', token })),
  fc.constantFrom(
    '{"type":"auth"}',
    '{"type":"auth","token":null}',
    '{"type":"auth","token":"bad","token":"x"}',
    '{"type":"auth","token":{"toString":"x"}}',
    '{"__proto__":{"type":"auth","token":"x"}}',
    '[{"type":"auth","token":"x"}]',
    '{"type":"auth_ok","userId":"ada"}',
    'null',
    '',
    '['.repeat(8_000),
  ),
  fc.json(),
  fc.string({ unit: 'binary' }),
)
