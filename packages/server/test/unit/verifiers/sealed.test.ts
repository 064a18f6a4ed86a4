import { expect, it } from 'vitest'
import { sealed, UnavailableError } from '../../../src/index.js'
import { now } from '../../support/tokens.js'
import { accepted, contextAt, refused } from '../../support/verification.js'

const session = { identity: { id: 'ada' }, issuedAt: now - 1_000, expiresAt: now + 1_000, session: 's-1' }
const fail = (error: Error) => () => {
  throw error
}

it('says what is read of the content', async () => {
  const whole = { ...session, subject: { id: 'sub-1', issuer: 'https://id.example.com' }, token: 't-1' }
  const seen: unknown[] = []
  const verify = sealed(
    (value) => value.length,
    (...content) => {
      seen.push(content)
      return whole
    },
  )
  expect(await accepted(verify, 'sealed')).toEqual(whole)
  expect(seen).toEqual([[6, 'sealed']])
})

it('is over at the end of the session', async () => {
  const verify = sealed(
    (value) => value,
    () => session,
  )
  await accepted(verify, 'sealed', now + 999)
  await refused(verify, 'sealed', 'credential-expired', now + 1_000)
})

it('B50 has not begun while it was written in the future, which no revocation of now would mean', async () => {
  const verify = sealed(
    (value) => value,
    () => ({ ...session, issuedAt: now + 61_000, expiresAt: now + 120_000 }),
  )
  expect(await verify('sealed', contextAt(now))).toEqual({
    rejected: 'credential-not-yet-valid',
    detail: 'issuedAt is 61 s ahead, leeway 60 s',
  })
  await refused(verify, 'sealed', 'credential-not-yet-valid', now + 999)
  // As long as clocks may differ by.
  await accepted(verify, 'sealed', now + 1_000)
})

it('takes what opening throws for a bad seal, unless a dependency is down', async () => {
  const verify = (error: Error) => sealed(fail(error), () => session)
  await refused(verify(new TypeError('bad')), 'sealed', 'credential-unreadable')
  await expect(async () => verify(new UnavailableError('no key'))('sealed', contextAt())).rejects.toThrow('no key')
})

it('passes on what reading throws', async () => {
  const verify = sealed((value) => value, fail(new TypeError('bug')))
  await expect(async () => verify('sealed', contextAt())).rejects.toThrow('bug')
})

it('is nobody where nothing is in it, or nobody', async () => {
  await refused(
    sealed(
      () => null,
      () => session,
    ),
    'sealed',
    'credential-unknown',
  )
  await refused(
    sealed(
      (value) => value,
      () => undefined,
    ),
    'sealed',
    'credential-unknown',
  )
})
