import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UnavailableError, type Verifier } from '../../src/index.js'
import { accepted, contextAt } from '../support/verification.js'

/** A verifier on trial. */
export interface VerifierTrial {
  readonly verify: Verifier
  readonly now: number
  /** A credential that is good, and whose it is. */
  readonly good: string
  readonly id: string
  /** Credentials that are not, by what is wrong with them. */
  readonly bad: Readonly<Record<string, string>>
}

/** A verifier on trial that depends on something which can be broken. */
export interface DependentTrial extends VerifierTrial {
  readonly breakDependency: () => void
}

const placeholders = ['', 'undefined', 'null', 'NaN', '[object Object]', '[object Promise]', 'Bearer abc', 'bearer']

/** What every verifier does. `start` makes a fresh one, and must answer the same `bad` names each time. */
export function verifierContract(name: string, start: () => Promise<VerifierTrial>): void {
  describe(`${name} keeps the contract of a verifier`, () => {
    it('says whose a good credential is', async () => {
      const { verify, good, now, id } = await start()
      const verified = await accepted(verify, good, now)
      expect(verified.identity.id).toBe(id)
      expect(verified.session).toBeTypeOf('string')
      expect(verified.session).not.toBe(good)
      if (verified.expiresAt !== undefined) expect(verified.expiresAt).toBeGreaterThan(now)
    })

    it('says the same when asked again', async () => {
      const { verify, good, now } = await start()
      expect(await accepted(verify, good, now)).toEqual(await accepted(verify, good, now))
    })

    it('recalls what it says, where it remembers it', async () => {
      const { verify, good, bad, now } = await start()
      if (!verify.recall) return
      const said = await accepted(verify, good, now)
      expect(verify.recall(good, now)).toEqual(said)
      for (const credential of [...Object.values(bad), ...placeholders]) {
        expect(verify.recall(credential, now) ?? { rejected: '' }, credential).toHaveProperty('rejected')
      }
    })

    it('tells an identity that survives JSON', async () => {
      const { verify, good, now } = await start()
      const { identity } = await accepted(verify, good, now)
      expect(JSON.parse(JSON.stringify(identity))).toEqual(identity)
    })

    it('answers bad credentials with a value', async () => {
      const { verify, good, bad, now } = await start()
      expect(Object.keys(bad).length).toBeGreaterThan(0)
      for (const [fault, credential] of Object.entries(bad)) {
        expect(await verify(credential, contextAt(now)), fault).toHaveProperty(
          'rejected',
          expect.stringMatching(/^\w+-/),
        )
      }
      await accepted(verify, good, now)
    })

    it('knows what a mistake in a client looks like', async () => {
      const { verify, now } = await start()
      for (const text of placeholders) {
        expect(await verify(text, contextAt(now)), text).toEqual({ rejected: 'credential-placeholder' })
      }
    })

    it('rejects a megabyte like anything else that is no credential', async () => {
      const { verify, good, now } = await start()
      const long = good + 'A'.repeat(1_000_000)
      expect(await verify(long, contextAt(now))).toMatchObject({ rejected: expect.any(String) })
    })

    it('rejects any other text, and never throws', async () => {
      const { verify, good, now } = await start()
      const tokens = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_.~+/='), maxLength: 60 })
      const cuts = fc.nat(good.length - 1).map((end) => good.slice(0, end))
      await fc.assert(
        fc.asyncProperty(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), tokens, cuts), async (text) => {
          expect(await verify(text, contextAt(now))).toEqual({ rejected: expect.any(String) })
        }),
      )
    })
  })
}

/** What a verifier does that depends on a server or a database. */
export function dependentVerifierContract(name: string, start: () => Promise<DependentTrial>): void {
  verifierContract(name, start)

  it(`${name} throws UnavailableError while its dependency is down`, async () => {
    const working = await start()
    await accepted(working.verify, working.good, working.now)
    const { verify, good, now, breakDependency } = await start()
    breakDependency()
    await expect(async () => verify(good, contextAt(now))).rejects.toThrow(UnavailableError)
  })
}
