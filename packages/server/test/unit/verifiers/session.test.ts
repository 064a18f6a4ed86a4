import { expect, expectTypeOf, it, vi } from 'vitest'
import { hash, type Identity, UnavailableError, type Verifier } from '../../../src/index.js'
import { session } from '../../../src/verifiers/session.js'
import { now } from '../../support/tokens.js'
import { accepted, contextAt, refused } from '../../support/verification.js'

const identity = { id: 'ada', role: 'admin' as const }

it('passes on what the look-up tells', async () => {
  const found = {
    identity,
    subject: { id: 'a1', issuer: 'https://login.example.com' },
    expiresAt: now + 1,
    issuedAt: now - 1,
    firstSeenAt: now - 2,
    session: 'login-1',
  }
  const verify = session(() => found)
  expect(await accepted(verify, 'value')).toEqual({ ...found, lookedUpAt: now })
})

it('names the session by the hash of the value when the look-up does not', async () => {
  const verify = session(async () => ({ identity }))
  expect(await accepted(verify, 'value')).toEqual({ identity, lookedUpAt: now, session: hash('value') })
})

it('passes on nothing else of a database row', async () => {
  const row = { identity, passwordHash: 'secret' }
  expect(
    await accepted(
      session(() => row),
      'value',
    ),
  ).not.toHaveProperty('passwordHash')
})

it('waits for a query builder, which is no promise', async () => {
  const query = {
    // biome-ignore lint/suspicious/noThenProperty: this is what query builders have
    then: (resolve: (row: { identity: Identity }) => void) => resolve({ identity }),
  }
  const verify = session(() => query as unknown as Promise<{ identity: Identity }>)
  expect(await accepted(verify, 'value')).toMatchObject({ identity })
})

it('rejects what the look-up does not know', async () => {
  for (const nothing of [null, undefined]) {
    await refused(
      session(() => nothing),
      'value',
      'credential-unknown',
    )
    await refused(
      session(async () => nothing),
      'value',
      'credential-unknown',
    )
  }
  await accepted(
    session(async () => ({ identity })),
    'value',
  )
})

it('rejects a session at its end', async () => {
  const verify = session(() => ({ identity, expiresAt: now }))
  await accepted(verify, 'value', now - 1)
  await refused(verify, 'value', 'credential-expired', now)
})

it('does not look up what cannot be a session', async () => {
  const find = vi.fn(() => ({ identity }))
  const verify = session(find)
  await refused(verify, '', 'credential-placeholder')
  await refused(verify, 'undefined', 'credential-placeholder')
  expect(find).not.toHaveBeenCalled()
  await accepted(verify, 'value')
  expect(find).toHaveBeenCalledExactlyOnceWith('value', expect.objectContaining({ now }))
})

it('passes on what the look-up throws', async () => {
  const down = session(() => {
    throw new UnavailableError('the database is down')
  })
  await expect(async () => down('value', contextAt())).rejects.toThrow(UnavailableError)
  const broken = session(async () => JSON.parse('{'))
  await expect(async () => broken('value', contextAt())).rejects.toThrow(SyntaxError)
})

it('keeps the type of the identity, which is never any', () => {
  const verify = session(async (value) => (value === 'a' ? { identity } : null))
  expectTypeOf(verify).toEqualTypeOf<Verifier<{ id: string; role: 'admin' }>>()
  const untyped = session((value) => ({ identity: JSON.parse(value) }))
  expectTypeOf(untyped).toEqualTypeOf<Verifier<Identity>>()
  const whollyUntyped = session((value) => JSON.parse(value))
  expectTypeOf(whollyUntyped).toEqualTypeOf<Verifier<Identity>>()
  // @ts-expect-error an identity has an id
  session(() => ({ identity: { role: 'admin' } }))
})
