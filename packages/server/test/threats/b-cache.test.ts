import { expect, it } from 'vitest'
import { jwt } from '../../src/verifiers/jwt.js'
import { audience, hmacSigner, issuer, now, tokenBy } from '../support/tokens.js'
import { accepted, contextAt, refused } from '../support/verification.js'

const secret = 'a secret of at least 32 bytes, for HS256'
const rules = { secret, algorithms: ['HS256'], issuer, audience } as const
const token = (claims: Record<string, unknown> = {}) => tokenBy(hmacSigner(secret), { claims })

/** Whether the verifier answers at once, because it remembers the token. */
const remembers = (verify: ReturnType<typeof jwt>, text: string, at = now) =>
  !(verify(text, contextAt(at)) instanceof Promise)

it('B16 answers a token that it knows at once, and the same', async () => {
  const verify = jwt(rules)
  const first = verify(token(), contextAt())
  expect(first).toBeInstanceOf(Promise)
  const said = await first
  expect(verify(token(), contextAt(now + 1))).toEqual(said)
})

it('B16 remembers no token beyond its end and the leeway', async () => {
  const verify = jwt(rules)
  const text = token()
  await accepted(verify, text)
  expect(remembers(verify, text, now + 294_999)).toBe(true)
  await refused(verify, text, 'credential-expired', now + 295_000)
  await refused(verify, text, 'credential-expired', now + 300_000)
})

it('B16 remembers tokens by their whole text', async () => {
  const verify = jwt(rules)
  const ada = token({ jti: 'token-1' })
  const twin = token({ jti: 'token-2' })
  expect((await accepted(verify, ada)).token).toBe('token-1')
  expect((await accepted(verify, twin)).token).toBe('token-2')
  expect((await accepted(verify, ada)).token).toBe('token-1')
  const bob = token({ sub: 'bob' })
  await refused(verify, `${bob.slice(0, bob.lastIndexOf('.'))}.${ada.split('.')[2]}`, 'token-signature')
})

it('B16 does not share what it remembers with a verifier of other rules', async () => {
  const verify = jwt(rules)
  const other = jwt({ ...rules, audience: 'https://other.example.com' })
  await accepted(verify, token())
  await refused(other, token(), 'token-audience')
})

it('B16 remembers no bad token', async () => {
  const verify = jwt(rules)
  const early = token({ nbf: now / 1000 + 60 })
  await refused(verify, early, 'credential-not-yet-valid')
  expect(remembers(verify, early)).toBe(false)
  await accepted(verify, early, now + 60_000)
})

it('B16 remembers no more than it may, those used last', async () => {
  const verify = jwt({ ...rules, cacheSize: 2 })
  const [a, b, c] = ['a', 'b', 'c'].map((jti) => token({ jti })) as [string, string, string]
  for (const text of [a, b, a, c]) await accepted(verify, text)
  expect([a, b, c].map((text) => remembers(verify, text))).toEqual([true, false, true])
  const forgetful = jwt({ ...rules, cacheSize: 0 })
  await accepted(forgetful, a)
  expect(remembers(forgetful, a)).toBe(false)
})

it('B16 asks whose a remembered token is each time', async () => {
  const banned = new Set<string | undefined>()
  const verify = jwt({ ...rules, identify: ({ sub }) => (banned.has(sub) || !sub ? undefined : { id: sub }) })
  await accepted(verify, token())
  banned.add('ada')
  await refused(verify, token(), 'credential-unknown')
  expect(verify(token(), contextAt())).toEqual({ rejected: 'credential-unknown' })
})

it('B16 hands out claims that nobody can change for the next one', async () => {
  const verify = jwt(rules)
  const { identity } = await accepted(verify, token({ roles: { chat: ['read'] } }))
  const roles = identity.claims.roles as { chat: string[] }
  expect(() => roles.chat.push('admin')).toThrow(TypeError)
  expect(() => Object.assign(identity.claims, { sub: 'bob' })).toThrow(TypeError)
  expect(() => Object.assign(identity.scopes, ['admin'])).toThrow(TypeError)
  Object.assign(identity, { id: 'bob' })
  expect((await accepted(verify, token({ roles: { chat: ['read'] } }))).identity.id).toBe('ada')
})
