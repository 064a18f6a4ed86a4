import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeRevocation, encodeRevocation } from '../../../src/revocation/entry.js'
import type { Revocation } from '../../../src/revocation/revocations.js'
import type { RevocationTarget } from '../../../src/revocation/target.js'

const now = 100_000
const made = 50_000
const text = fc.string({ unit: 'binary' })
const time = fc.maxSafeNat()

const anyTarget: fc.Arbitrary<RevocationTarget> = fc.oneof(
  fc.constant<RevocationTarget>('all'),
  fc.record({ user: text, issuer: text, tenant: text, issuedBefore: time }, { requiredKeys: ['user'] }),
  fc.record({ session: text }),
  fc.record({ token: text }),
  fc.record({ connection: text }),
  fc.record({ issuedBefore: time }),
)
const anyRevocation: fc.Arbitrary<Revocation> = fc.record(
  { target: anyTarget, at: time, reason: text },
  { requiredKeys: ['target', 'at'] },
)
/** How an entry of that target is read. */
const targetOf = (target: unknown) => decodeRevocation(JSON.stringify({ target, at: made }), now).target

describe('an entry of the log', () => {
  it('says what was written', () => {
    fc.assert(
      fc.property(anyRevocation, (revocation) => {
        expect(decodeRevocation(encodeRevocation(revocation), now)).toEqual(revocation)
      }),
    )
  })

  it('says something, whatever comes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), text), (entry) => {
        const { at, target } = decodeRevocation(entry, now)
        expect(Number.isNaN(at)).toBe(false)
        expect(target).toBeTruthy()
      }),
    )
  })

  it.each<[unknown, RevocationTarget]>([
    [{ device: 'd1' }, 'all'],
    [{ device: 'd1', tenant: 'n1' }, 'all'],
    ['everything since Monday', 'all'],
    [undefined, 'all'],
    [{ user: 7 }, 'all'],
    [{ session: null }, 'all'],
  ])('I18 of a kind that is not known means everybody: %j', (target, expected) => {
    expect(targetOf(target)).toEqual(expected)
  })

  it.each<[unknown, RevocationTarget]>([
    [{ user: 'ada', device: 'd1' }, { user: 'ada' }],
    [{ session: 's1', device: 'd1' }, { session: 's1' }],
    [{ token: 't1', device: 'd1' }, { token: 't1' }],
    [{ connection: 'c1', device: 'd1' }, { connection: 'c1' }],
    [{ issuedBefore: made, device: 'd1' }, { issuedBefore: made }],
    [{ user: 'ada', issuer: 7, tenant: [] }, { user: 'ada' }],
    [
      { user: 'ada', issuer: 'i1', issuedBefore: 'Monday' },
      { user: 'ada', issuer: 'i1' },
    ],
  ])('I18 of a known kind means that kind, whatever stands beside it: %j', (target, expected) => {
    expect(targetOf(target)).toEqual(expected)
  })

  it.each(['', 'revoke ada', '7', 'null', '[]', '{"target":'])(
    'I18 that is malformed means everybody until now: %j',
    (entry) => {
      expect(decodeRevocation(entry, now)).toEqual({ target: 'all', at: now })
    },
  )

  it.each<[object, Partial<Revocation>]>([
    [{ at: '50000' }, { at: now }],
    [{ at: null }, { at: now }],
    [{ code: 'banned' }, {}],
    [{ reason: 7 }, {}],
    [{ reason: 'left the company' }, { reason: 'left the company' }],
  ])('I18 is read without what it does not say: %j', (changes, expected) => {
    const good = { target: { session: 's1' }, at: made }
    expect(decodeRevocation(JSON.stringify({ ...good, ...changes }), now)).toEqual({ ...good, ...expected })
  })
})
