import { expect, it } from 'vitest'
import { jwt } from '../../src/verifiers/tokens.js'
import { audience, hmacSigner, issuer, now, tokenBy } from '../support/tokens.js'
import { accepted, contextAt, isRemembered, refused } from '../support/verification.js'

const secret = 'a secret of at least 32 bytes, for HS256'
const rules = { secret, algorithms: ['HS256'], issuer, audience } as const
const token = (claims: Record<string, unknown> = {}) => tokenBy(hmacSigner(secret), { claims })

it('B16 remembers a token, and answers the same', async () => {
  const verify = jwt(rules)
  const first = await verify(token(), contextAt())
  expect(verify(token(), contextAt(now + 1))).toEqual(first)
  expect(await isRemembered(verify, token({ jti: 'token-2' }))).toBe(false)
  expect(await isRemembered(verify, token({ jti: 'token-2' }))).toBe(true)
})

it('B16 remembers no token beyond its end and the leeway', async () => {
  const verify = jwt(rules)
  const text = token()
  await isRemembered(verify, text)
  expect(await isRemembered(verify, text, now + 294_999)).toBe(true)
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
  await refused(verify, early, 'credential-not-yet-valid')
  expect(await isRemembered(verify, early, now + 60_000)).toBe(false)
})

it('B16 remembers no more than it may, those used last', async () => {
  const answers = async (verify: ReturnType<typeof jwt>, names: string) => {
    const list: boolean[] = []
    for (const jti of names) list.push(await isRemembered(verify, token({ jti })))
    return list
  }
  const verify = jwt({ ...rules, cacheSize: 2 })
  expect(await answers(verify, 'abac')).toEqual([false, false, true, false])
  expect(await answers(verify, 'acb')).toEqual([true, true, false])
  expect(await answers(jwt({ ...rules, cacheSize: 0 }), 'aa')).toEqual([false, false])
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
  expect(() => Object.assign(identity, { id: 'bob' })).toThrow(TypeError)
  expect((await accepted(verify, token({ roles: { chat: ['read'] } }))).identity.id).toBe('ada')
})
