import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sameIdentity } from '../../src/identity.js'
import { jwt } from '../../src/verifiers/tokens.js'
import {
  audience,
  base64url,
  goodClaims,
  hmacSigner,
  issuer,
  now,
  type TokenChanges,
  tokenBy,
} from '../support/tokens.js'
import { accepted, refused } from '../support/verification.js'

const secret = 'a secret of at least 32 bytes, for HS256'
const rules = { secret, algorithms: ['HS256'], issuer, audience } as const
const verify = jwt(rules)
const token = (claims?: TokenChanges['claims'], header?: TokenChanges['header']) =>
  tokenBy(hmacSigner(secret), { ...(claims !== undefined && { claims }), ...(header !== undefined && { header }) })
const seconds = now / 1000

/** Asserts that the one change makes the difference. */
async function decides(claims: TokenChanges['claims'], reason: string, at?: number): Promise<void> {
  await accepted(verify, token(), at)
  await refused(verify, token(claims), reason, at)
}

it('B06 refuses a token without exp, or without iat', async () => {
  await decides({ exp: undefined }, 'token-claims')
  await decides({ iat: undefined }, 'token-claims')
})

it('B06 refuses a token that lives longer than a day, or than it may', async () => {
  const day = 86_400
  await accepted(verify, token({ iat: seconds, exp: seconds + day }))
  await refused(verify, token({ iat: seconds, exp: seconds + day + 1 }), 'credential-lifetime')
  await refused(verify, token({ iat: seconds, exp: seconds + 100 * 365 * day }), 'credential-lifetime')
  // Half of its life is over, so that less than a day remains.
  await refused(verify, token({ iat: seconds - day, exp: seconds + 10 }), 'credential-lifetime')
  const strict = jwt({ ...rules, maxLifetime: 300 })
  await accepted(strict, token())
  await refused(strict, token({ exp: seconds + 291 }), 'credential-lifetime')
})

it.each([
  ['text', `${seconds + 290}`],
  ['null', null],
  ['an object', {}],
  ['a list', [seconds + 290]],
  ['true', true],
])('B07 refuses times that are %s', async (_, value) => {
  for (const claim of ['exp', 'iat', 'nbf']) await decides({ [claim]: value }, 'token-claims')
})

it('B07 refuses times that no clock can show', async () => {
  await decides(JSON.stringify(goodClaims()).replace(/"exp":\d+/, '"exp":1e999'), 'token-claims')
  await decides({ exp: 1e300 }, 'token-claims')
  await decides({ exp: -1 }, 'credential-expired')
  await decides({ iat: -1 }, 'token-claims')
})

it('B07 reads fractions of a second exactly', async () => {
  const fraction = token({ iat: seconds - 0.5, exp: seconds + 0.75 })
  const { issuedAt, expiresAt } = await accepted(verify, fraction)
  expect({ issuedAt, expiresAt }).toEqual({ issuedAt: now - 500, expiresAt: now + 750 })
  await accepted(jwt(rules), fraction, now + 5_749)
  await refused(jwt(rules), fraction, 'credential-expired', now + 5_750)
})

it('B07 refuses a token issued in the future', async () => {
  await accepted(verify, token({ iat: seconds + 5 }))
  await refused(verify, token({ iat: seconds + 6 }), 'credential-not-yet-valid')
})

it.each([0, 5, 60])('B08 expires a token at exp and a leeway of %i s, to the second', async (leeway) => {
  const exact = jwt({ ...rules, leeway })
  const text = token({ exp: seconds })
  await accepted(exact, text, now + leeway * 1000 - 1)
  await refused(exact, text, 'credential-expired', now + leeway * 1000)
  const fresh = jwt({ ...rules, leeway })
  await refused(fresh, text, 'credential-expired', now + leeway * 1000)
})

it.each([0, 5, 60])('B08 waits for nbf with a leeway of %i s, to the second', async (leeway) => {
  const exact = jwt({ ...rules, leeway })
  const text = token({ nbf: seconds + leeway })
  await refused(exact, text, 'credential-not-yet-valid', now - 1000)
  await accepted(exact, text, now)
})

it.each([
  ['another', 'https://other.example.com'],
  ['absent', undefined],
  ['with a slash at its end', `${issuer}/`],
  ['longer', `${issuer}.evil.example`],
  ['shorter', issuer.slice(0, -1)],
  ['in capitals', issuer.toUpperCase()],
  ['a list with the right one', [issuer]],
  ['an object', { [issuer]: true }],
  ['null', null],
  ['__proto__', '__proto__'],
])('B09 refuses an issuer that is %s', async (_, iss) => {
  await refused(verify, token({ iss }), iss === undefined ? 'token-issuer' : 'token-issuer')
  await accepted(verify, token({ iss: issuer }))
})

it.each([
  ['another', 'https://other.example.com'],
  ['absent', undefined],
  ['a list without us', ['https://other.example.com', `${audience}/`]],
  ['an empty list', []],
  ['a list in a list', [[audience]]],
  ['an object', { [audience]: true }],
  ['null', null],
])('B10 refuses an audience that is %s', async (_, aud) => {
  await refused(verify, token({ aud }), 'token-audience')
  await accepted(verify, token({ aud: audience }))
  await accepted(verify, token({ aud: ['https://other.example.com', audience] }))
})

it.each([
  ['an ID token by its nonce', { nonce: 'n-1' }],
  ['an ID token by its at_hash', { at_hash: 'AAAA' }],
  ['an ID token by its c_hash', { c_hash: 'AAAA' }],
  ['an ID token by token_use', { token_use: 'id' }],
  ['an ID token by typ', { typ: 'ID' }],
  ['a refresh token by typ', { typ: 'Refresh' }],
  ['an offline token by typ', { typ: 'Offline' }],
  ['a refresh token by token_use', { token_use: 'refresh' }],
  ['a logout token by its events', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }],
])('B11 refuses %s', async (_, claims) => {
  await accepted(verify, token({}, { typ: 'JWT' }))
  await refused(verify, token(claims, { typ: 'JWT' }), 'token-type')
})

it('B11 takes an access token that says it is one, though its issuer copied the nonce', async () => {
  const nonce = 'n-1'
  await accepted(verify, token({ nonce, typ: 'Bearer' }, { typ: 'JWT' }))
  await accepted(verify, token({ nonce, token_use: 'access' }, { typ: 'JWT' }))
  await accepted(verify, token({ nonce }, { typ: 'at+jwt' }))
  await refused(verify, token({ nonce }, { typ: 'JWT' }), 'token-type')
})

it.each(['logout+jwt', 'dpop+jwt', 'secevent+jwt', 'rt+jwt', 'jose', '', 5, null])(
  'B11 refuses the type %j in the header',
  async (typ) => {
    for (const good of ['JWT', 'jwt', 'at+jwt', 'application/at+jwt', undefined]) {
      await accepted(verify, token({}, { typ: good }))
    }
    await refused(verify, token({}, { typ }), 'token-type')
  },
)

it('B11 refuses every type but the one that was asked for', async () => {
  const pinned = jwt({ ...rules, typ: 'at+jwt' })
  await accepted(pinned, token({}, { typ: 'application/AT+JWT' }))
  await refused(pinned, token({}, { typ: 'JWT' }), 'token-type')
  await refused(pinned, token({}, { typ: undefined }), 'token-type')
})

it.each(['[]', '"text"', 'null', '5', '{', '', '{"sub":"ada"'])('B17 refuses the payload %j', async (payload) => {
  await accepted(verify, token(JSON.stringify(goodClaims())))
  // An empty payload is no part at all.
  await refused(verify, token(payload), payload === '' ? 'credential-unreadable' : 'token-claims')
})

it('B17 refuses a payload that is not UTF-8', async () => {
  const [header] = token().split('.')
  const payload = Buffer.from(JSON.stringify(goodClaims({ sub: '\u00e9' })), 'latin1')
  const input = `${header}.${base64url(payload)}`
  await refused(verify, `${input}.${base64url(hmacSigner(secret).sign(input))}`, 'token-claims')
  await accepted(verify, token({ sub: '\u00e9' }))
})

it.each([
  ['absent', undefined],
  ['empty', ''],
  ['a number', 5],
  ['an object', { id: 'ada' }],
  ['a list', ['ada']],
  ['null', null],
  ['longer than 255 characters', 'a'.repeat(256)],
  ['of more than one line', 'ada\nadmin'],
  ['with a NUL', 'ada\u0000'],
])('B17 refuses a subject that is %s', async (_, sub) => {
  await refused(verify, token({ sub }), 'token-claims')
  await accepted(verify, token({ sub: 'a'.repeat(255) }))
})

it('B17 refuses a lone surrogate, which would become another id in UTF-8', async () => {
  await refused(verify, token(JSON.stringify(goodClaims({ sub: 'S' })).replace('"S"', '"\\ud800"')), 'token-claims')
  await accepted(verify, token({ sub: '\u{1f600}' }))
})

it('B17 refuses other ids that are no text', async () => {
  for (const claim of ['jti', 'sid']) {
    for (const value of [5, '', null, {}, 'a'.repeat(256)]) await decides({ [claim]: value }, 'token-claims')
  }
})

it('B17 lets the last of two equal claims count, for every check alike', async () => {
  const claims = JSON.stringify(goodClaims()).slice(1, -1)
  await refused(verify, token(`{${claims},"exp":${seconds - 10}}`), 'credential-expired')
  const { expiresAt, identity } = await accepted(verify, token(`{"exp":${seconds - 10},"sub":"bob",${claims}}`))
  expect({ expiresAt, id: identity.id, exp: identity.claims.exp }).toEqual({
    expiresAt: now + 290_000,
    id: 'ada',
    exp: seconds + 290,
  })
})

it('B17 refuses a claim __proto__, and does not take it for a prototype elsewhere', async () => {
  const claims = JSON.stringify(goodClaims()).slice(1, -1)
  await refused(verify, token(`{${claims},"__proto__":{"admin":true}}`), 'token-claims')
  await refused(verify, token(`{${claims},"__proto__":null}`), 'token-claims')
  const { identity } = await accepted(verify, token(`{${claims},"deep":{"__proto__":{"admin":true}}}`))
  expect((identity.claims.deep as { admin?: boolean }).admin).toBeUndefined()
  expect({}).not.toHaveProperty('admin')
})

it('B18 tells equal subjects of two issuers apart', async () => {
  const other = 'https://other.example.com'
  const both = jwt({ ...rules, issuer: [issuer, other] })
  const mine = await accepted(both, token())
  const theirs = await accepted(both, token({ iss: other }))
  expect(sameIdentity(mine.identity, theirs.identity)).toBe(false)
  expect(sameIdentity(mine.identity, (await accepted(both, token({ jti: 'token-2' }))).identity)).toBe(true)
  const joined = await accepted(both, token({ sub: `${issuer}|ada` }))
  expect(sameIdentity(mine.identity, joined.identity)).toBe(false)
})

it('B29 refuses a token that is bound to a key', async () => {
  await decides({ cnf: { jkt: 'AAAA' } }, 'token-type')
  await decides({ cnf: { 'x5t#S256': 'AAAA' } }, 'token-type')
  await decides({ cnf: null }, 'token-type')
})

it('B30 reads scopes as a set of whole members', async () => {
  const scopesOf = async (claims: Record<string, unknown>) => (await accepted(verify, token(claims))).identity.scopes
  expect(await scopesOf({})).toEqual([])
  expect(await scopesOf({ scope: '' })).toEqual([])
  expect(await scopesOf({ scope: 'admin-read chat' })).toEqual(['admin-read', 'chat'])
  expect(await scopesOf({ scope: ['admin-read', 'chat'] })).toEqual(['admin-read', 'chat'])
  expect(await scopesOf({ scp: ['chat'] })).toEqual(['chat'])
  expect(await scopesOf({ scope: 'chat', scp: ['admin'] })).toEqual(['chat'])
  for (const scope of [5, null, { admin: true }, ['admin', 5]]) await decides({ scope }, 'token-claims')
})

it('B30 has a scope exactly when the token names it', async () => {
  const name = fc.string({ unit: fc.constantFrom(...'ab-:'), minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(fc.array(name), name, async (names, asked) => {
      const { scopes } = (await accepted(verify, token({ scope: names.join(' ') }))).identity
      expect(scopes.includes(asked)).toBe(names.includes(asked))
    }),
    { numRuns: 50 },
  )
})
