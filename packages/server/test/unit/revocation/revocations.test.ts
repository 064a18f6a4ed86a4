import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Holder, type Revocation, Revocations, revokes } from '../../../src/revocation/revocations.js'
import { testClock } from '../../support/clock.js'
import { stepsOf } from '../../support/steps.js'

const memory = 60_000
const connectionMemory = 10_000

function setUp() {
  const clock = testClock()
  const revocations = new Revocations(clock.now, memory, connectionMemory)
  const revoke = (target: Revocation['target'], at = clock.now()) => revocations.add({ target, at })
  /** Somebody whose credential was issued now, with some of it changed. */
  const holder = (changes: Partial<Holder> = {}): Holder => ({
    identity: { id: 'ada', issuer: 'i1', tenant: 'n1' },
    session: 's1',
    token: 't1',
    issuedAt: clock.now(),
    vouchedAt: clock.now() + memory,
    ...changes,
  })
  return { clock, revocations, revoke, holder }
}

describe('F16 a revocation means', () => {
  const at = 100_000
  const before: Holder = {
    identity: { id: 'ada', issuer: 'i1', tenant: 'n1' },
    session: 's1',
    token: 't1',
    issuedAt: at - 1,
    vouchedAt: at + 1,
  }
  const after: Holder = { ...before, issuedAt: at + 1 }
  const other: Holder = { identity: { id: 'eve' }, session: 's2', token: 't2', issuedAt: at - 1, vouchedAt: at + 1 }
  const bare: Holder = { identity: { id: 'ada' }, issuedAt: at - 1, vouchedAt: at + 1 }

  it.each<[Revocation['target'], Record<'before' | 'after' | 'other' | 'bare', boolean>]>([
    ['all', { before: true, after: false, other: true, bare: true }],
    [{ issuedBefore: at - 1 }, { before: true, after: false, other: true, bare: true }],
    [{ issuedBefore: at - 2 }, { before: false, after: false, other: false, bare: false }],
    [{ issuedBefore: at + 1 }, { before: true, after: true, other: true, bare: true }],
    [{ user: 'ada' }, { before: true, after: false, other: false, bare: true }],
    [
      { user: 'ada', issuer: 'i1' },
      { before: true, after: false, other: false, bare: false },
    ],
    [
      { user: 'ada', issuer: 'i2' },
      { before: false, after: false, other: false, bare: false },
    ],
    [
      { user: 'ada', tenant: 'n1' },
      { before: true, after: false, other: false, bare: false },
    ],
    [
      { user: 'ada', issuer: 'i1', tenant: 'n2' },
      { before: false, after: false, other: false, bare: false },
    ],
    [
      { user: 'ada', issuedBefore: at - 2 },
      { before: false, after: false, other: false, bare: false },
    ],
    [
      { user: 'ada', issuedBefore: at + 1 },
      { before: true, after: true, other: false, bare: true },
    ],
    [{ session: 's1' }, { before: true, after: true, other: false, bare: false }],
    [{ token: 't1' }, { before: true, after: true, other: false, bare: false }],
    [{ token: 's1' }, { before: false, after: false, other: false, bare: false }],
  ])('F16 exactly whom it names: %j', (target, expected) => {
    const meant = { before, after, other, bare }
    for (const [name, holder] of Object.entries(meant)) {
      expect(revokes({ target, at }, holder), name).toBe(expected[name as keyof typeof expected])
    }
  })

  it('F16 no names that a join would mix up', () => {
    const holder: Holder = { identity: { id: 'a', issuer: 'b:c' }, issuedAt: 0, vouchedAt: 0 }
    expect(revokes({ target: { user: 'a', issuer: 'b:c' }, at }, holder)).toBe(true)
    expect(revokes({ target: { user: 'a:b', issuer: 'c' }, at }, holder)).toBe(false)
  })
})

describe('Revocations', () => {
  it('answers as revokes does, whatever was added in which order', () => {
    const { clock, holder } = setUp()
    const time = fc.nat(3).map((seconds) => clock.now() + seconds * 1_000)
    const name = fc.constantFrom('ada', 'eve', 'user:ada', 'everybody')
    const target: fc.Arbitrary<Revocation['target']> = fc.oneof(
      fc.constant<Revocation['target']>('all'),
      name.map((user) => ({ user })),
      fc.record({ user: name, issuer: fc.constantFrom('i1', 'i2') }),
      fc.record({ user: name, issuedBefore: time }),
      name.map((session) => ({ session })),
      name.map((token) => ({ token })),
      time.map((issuedBefore) => ({ issuedBefore })),
    )
    const holders = fc
      .record({
        id: name,
        issuer: fc.constantFrom('i1', 'i2'),
        session: name,
        token: name,
        issuedAt: time,
        vouchedAt: time,
      })
      .map(({ id, issuer, ...rest }) => holder({ identity: { id, issuer }, ...rest }))
    fc.assert(
      fc.property(fc.array(fc.record({ target, at: time }), { maxLength: 8 }), holders, (added, holder) => {
        const revocations = new Revocations(clock.now, memory, connectionMemory)
        for (const revocation of added) revocations.add(revocation)
        expect(revocations.find(holder) !== undefined).toBe(added.some((revocation) => revokes(revocation, holder)))
      }),
    )
  })

  it('keeps one of many that say the same', () => {
    const { clock, revocations, revoke, holder } = setUp()
    // To look for it in a list of all of them would take longer than a test may.
    for (let i = 0; i < 50_000; i++) revoke({ session: 's1' })
    expect(revocations.find(holder())).toBeDefined()
    expect(revocations.find(holder({ session: 's2' }))).toBeUndefined()
    clock.advance(memory - 1)
    revoke({ session: 's1' })
    clock.advance(memory - 1)
    revoke({ session: 'other' })
    expect(revocations.find(holder())).toBeDefined()
  })

  it('keeps one of many that name the same user, each to a later time', () => {
    const { clock, revocations, revoke, holder } = setUp()
    for (let i = 0; i < 1_000; i++) {
      clock.advance(1)
      const issuedBefore = clock.now() - 10
      expect(revoke({ subject: 'ada', issuer: 'i1', issuedBefore })).toBe(true)
      expect(revoke({ user: 'ada', issuedBefore })).toBe(true)
      expect(revoke({ issuedBefore })).toBe(true)
    }
    expect([...revocations]).toHaveLength(3)
    // Those that say something else, or are for longer, stay beside them.
    const ban = clock.now() + memory
    revoke({ user: 'ada', issuedBefore: ban })
    clock.advance(1)
    revoke({ user: 'ada' })
    revoke({ user: 'ada', issuer: 'i1' })
    revoke({ subject: 'ada', issuer: 'i1', issuedBefore: clock.now(), sessionless: true })
    expect([...revocations]).toHaveLength(6)
    expect(revocations.find(holder({ issuedAt: ban }))).toMatchObject({ target: { issuedBefore: ban } })
  })

  it('I08 takes what comes again, or late, for nothing new', () => {
    const { clock, revocations, revoke } = setUp()
    const at = clock.now()
    expect(revoke({ user: 'ada' }, at)).toBe(true)
    expect(revoke({ user: 'ada' }, at)).toBe(false)
    expect(revoke({ user: 'ada' }, at - 1)).toBe(false)
    expect(revoke({ user: 'ada' }, at + 1)).toBe(true)
    expect(revoke({ user: 'ada', issuer: 'i1' }, at)).toBe(true)
    expect([...revocations]).toHaveLength(2)
  })

  it('I08 takes nothing that is over', () => {
    const { clock, revocations, revoke, holder } = setUp()
    expect(revoke({ session: 's1' }, clock.now() - memory)).toBe(false)
    expect(revocations.find(holder())).toBeUndefined()
    expect(revoke({ session: 's1' }, clock.now() - memory + 1)).toBe(true)
    expect(revocations.find(holder())).toBeDefined()
  })

  it('I08 says the same in whatever order, and however often, revocations come', () => {
    const { clock, holder } = setUp()
    const target = fc.constantFrom<Revocation['target'][]>(
      'all',
      { user: 'ada' },
      { user: 'ada', issuer: 'i1' },
      { session: 's1' },
    )
    const revocation = fc.record({
      target,
      at: fc.nat(5).map((ms) => clock.now() + ms),
    })
    const orders = fc.array(revocation, { maxLength: 6 }).chain((list) => {
      const again = fc.shuffledSubarray([...list, ...list], { minLength: list.length * 2 })
      return fc.tuple(fc.constant(list), again)
    })
    fc.assert(
      fc.property(orders, fc.nat(6), ([list, again], ms) => {
        const denies = (added: Revocation[]) => {
          const revocations = new Revocations(clock.now, memory, connectionMemory)
          for (const one of added) revocations.add(one)
          return revocations.find(holder({ session: 's2', issuedAt: clock.now() + ms })) !== undefined
        }
        expect(denies(again)).toBe(denies(list))
      }),
    )
  })

  it('keeps the newest of those for one user, and those that say something else beside it', () => {
    const { clock, revocations, revoke, holder } = setUp()
    const first = clock.now()
    revoke({ user: 'ada', issuer: 'i1' })
    clock.advance(5_000)
    revoke({ user: 'ada', issuer: 'i2' })
    clock.advance(5_000)
    const old = (issuer: string, issuedAt: number) => holder({ identity: { id: 'ada', issuer }, issuedAt })
    expect(revocations.find(old('i1', first))).toBeDefined()
    expect(revocations.find(old('i1', first + 1))).toBeUndefined()
    expect(revocations.find(old('i2', first + 1))).toBeDefined()
    expect(revocations.find(old('i3', first))).toBeUndefined()
  })

  it('F15 forgets only when nothing that it denies can live any more', () => {
    const { clock, revocations, revoke, holder } = setUp()
    const stale = holder()
    revoke({ session: 's1' })
    clock.advance(memory - 1)
    revoke({ session: 'other' })
    expect(revocations.find(stale)).toBeDefined()
    clock.advance(1)
    revoke({ session: 'another' })
    expect(revocations.find(stale)).toBeUndefined()
    expect(revocations.find(holder({ session: 'other' }))).toBeDefined()
  })

  it('F37 keeps one that names a connection as long as a node may hold it unheard, and the others for their time', () => {
    const { clock, revocations, revoke, holder } = setUp()
    revoke({ connection: 'c1' })
    revoke({ session: 's1' })
    const [here, there] = [{ ...holder({ session: 's2' }), lease: 'c1' }, holder()]
    clock.advance(connectionMemory - 1)
    expect(revocations.find(here)).toBeDefined()
    clock.advance(1)
    expect(revocations.find(here)).toBeUndefined()
    expect(revocations.find(there)).toBeDefined()
    // Of those of one user the longest counts.
    const old = holder({ session: 's2' })
    revoke({ user: 'ada', issuedBefore: clock.now() + memory })
    revoke({ user: 'ada', issuer: 'i1' })
    clock.advance(2 * memory - 1)
    expect(revocations.find(old)).toBeDefined()
  })

  it('F37 holds no more than is needed of many that name connections, and takes as many steps for each', () => {
    const { clock, revocations, revoke } = setUp()
    revoke({ session: 's1' })
    const revokeMany = () => {
      for (let i = 0; i < 10_000; i++) {
        clock.advance(100)
        revoke({ connection: `c${clock.now()}` })
      }
    }
    const first = stepsOf(revokeMany)
    expect(stepsOf(revokeMany)).toBeLessThan(1.5 * first)
    expect([...revocations].length).toBeLessThanOrEqual(connectionMemory / 100 + 1)
  })

  it('F15 counts from the time before which all is revoked, when that is still to come', () => {
    const { clock, revocations, revoke, holder } = setUp()
    const week = 7 * 24 * 60 * 60 * 1_000
    revoke({ user: 'ada', issuedBefore: clock.now() + week })
    revoke({ user: 'ada' })
    clock.advance(week)
    const last = holder()
    revoke({ session: 'other' })
    expect(revocations.find(last)).toBeDefined()
    clock.advance(memory - 1)
    revoke({ session: 'other' })
    expect(revocations.find(last)).toBeDefined()
    clock.advance(1)
    revoke({ session: 'other' })
    expect(revocations.find(last)).toBeUndefined()
  })
})
