import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Carrier } from '../../src/carriers/carrier.js'
import type { Handshake } from '../../src/handshake/request.js'
import { anyHandshake, floods, handshake } from '../support/handshake.js'

/** Puts a credential on a handshake, as a client would. */
export type Put = (base: Handshake, credential: string) => Handshake

/** What the contract needs to know of a carrier. */
export interface CarrierFixture {
  readonly carrier: Carrier
  readonly put: Put
  /** A credential that it can carry. */
  readonly credential: fc.Arbitrary<string>
  /** Puts two credentials in the places that one may have, in each way that the wire allows. */
  readonly twice: Readonly<Record<string, (base: Handshake, first: string, second: string) => Handshake>>
  /** Handshakes with something in this carrier's place that is no credential, each one property away from a good one. */
  readonly broken: Readonly<Record<string, (base: Handshake) => Handshake>>
  /** Puts any text where the credential would be, written by nobody in particular. */
  readonly raw: Put
}

/** What every carrier keeps to. `others` put credentials of the other carriers. */
export function carrierContract(name: string, fixture: CarrierFixture, others: Readonly<Record<string, Put>>): void {
  const { carrier, put, credential, twice, broken, raw } = fixture
  const read = (value: Handshake) => carrier(frozen(value))

  describe(`the ${name} carrier`, () => {
    it('is absent from a handshake without a credential', () => {
      expect(read(handshake())).toEqual({ type: 'absent' })
    })

    it('finds exactly the credential', () => {
      fc.assert(
        fc.property(credential, (credential) => {
          expect(read(put(handshake(), credential))).toEqual({ type: 'found', credential })
        }),
      )
    })

    it.each(Object.keys(others))('is absent from a handshake with a credential of the %s carrier', (other) => {
      fc.assert(
        fc.property(fc.constantFrom('good-ada', 'a'.repeat(43)), (credential) => {
          expect(read(put(handshake(), credential)).type).toBe('found')
          expect(read(others[other]!(handshake(), credential))).toEqual({ type: 'absent' })
        }),
      )
    })

    it('finds it among the credentials of all others', () => {
      const crowded = Object.values(others).reduce((base, putOther) => putOther(base, 'other'), handshake())
      expect(read(put(crowded, 'good-ada'))).toEqual({ type: 'found', credential: 'good-ada' })
    })

    it.each(Object.keys(broken))('calls it malformed: %s', (which) => {
      expect(read(broken[which]!(handshake()))).toEqual({ type: 'malformed' })
    })

    it.each(Object.keys(twice))('calls two credentials malformed, different or equal: %s', (which) => {
      fc.assert(
        fc.property(credential, fc.option(credential), (first, second) => {
          expect(read(twice[which]!(handshake(), first, second ?? first))).toEqual({ type: 'malformed' })
        }),
      )
    })

    it('reads the same from the header lines in any order, and again', () => {
      const shuffled = anyHandshake.chain((value) => {
        const { headers } = value
        return fc
          .shuffledSubarray([...headers], { minLength: headers.length })
          .map((headers) => ({ ...value, headers }))
      })
      fc.assert(
        fc.property(shuffled, credential, (value, credential) => {
          for (const one of [value, put(value, credential)]) {
            const reading = read(one)
            expect(read(one)).toEqual(reading)
            expect(read({ ...one, headers: one.headers.toReversed() })).toEqual(reading)
          }
        }),
      )
    })

    it('answers one of three for any handshake, and never throws', () => {
      fc.assert(
        fc.property(anyHandshake, fc.string({ unit: 'binary' }), (value, text) => {
          for (const one of [value, raw(value, text)]) {
            const reading = read(one)
            if (reading.type === 'found') expect(reading.credential).toBeTypeOf('string')
            else expect([{ type: 'absent' }, { type: 'malformed' }]).toContainEqual(reading)
          }
        }),
      )
    })

    it('is done at once with a flood in its place', () => {
      for (const flood of floods) {
        for (const text of [flood, `a${flood}`, `${flood}\u0000`, `a${flood}"a`, `a${flood}a`]) {
          expect(['absent', 'found', 'malformed']).toContain(carrier(raw(handshake(), text)).type)
        }
      }
    })
  })
}

/** A carrier only looks. */
function frozen(value: Handshake): Handshake {
  return Object.freeze({
    ...value,
    headers: Object.freeze(value.headers.map((line) => Object.freeze([...line] as const))),
  })
}
