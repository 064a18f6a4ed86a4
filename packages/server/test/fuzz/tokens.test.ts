import { jwt, type PublicKeyAlgorithm } from '@sallyport/server/jwt'
import fc from 'fast-check'
import { jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import {
  audience,
  hmac,
  hmacSigner,
  issuer,
  keySigner,
  now,
  rules,
  type Signer,
  secret,
  signingPair,
  type TokenChanges,
  tokenBy,
} from '../support/tokens.js'
import { contextAt } from '../support/verification.js'
import { fuzz, mostly, share, textDamage, timeFor } from './inputs.js'

const seconds = now / 1000
const dates = mostly<unknown>(undefined, seconds - 6, seconds - 5, seconds, seconds + 5, seconds + 6, '5', null, -1)
const texts = mostly<unknown>(undefined, 'other', '', 5, null, ['other'])

/** Only what is there replaces the usual. */
const changes = (arbitrary: fc.Arbitrary<Record<string, unknown>>) =>
  arbitrary.map((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)))

const tokenChanges: fc.Arbitrary<TokenChanges> = fc.record({
  header: fc.oneof(
    { weight: 8, arbitrary: changes(fc.record({ typ: texts, kid: texts, crit: mostly<unknown>(undefined, ['b64']) })) },
    { weight: 1, arbitrary: fc.json() },
  ),
  claims: fc.oneof(
    { weight: 8, arbitrary: changes(fc.record({ iss: texts, aud: texts, exp: dates, nbf: dates, iat: dates })) },
    { weight: 1, arbitrary: fc.json() },
  ),
})

const inputs = fc.record({
  changes: tokenChanges,
  byStranger: mostly(false, true),
  harm: mostly(false, true),
  textDamage,
})

/** Why we refuse tokens that jose takes, whose rules are those of RFC 7519 alone. */
const stricter = ['token-type', 'token-claims', 'token-key', 'credential-unreadable', 'credential-not-yet-valid']

const key = Buffer.from(secret)
const trials: [string, ReturnType<typeof jwt>, Parameters<typeof jwtVerify>[1], Signer, Signer][] = [
  ['HS256', jwt({ secret, algorithms: ['HS256'], ...rules }), key, hmac, hmacSigner('y'.repeat(32))],
  ...(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] satisfies PublicKeyAlgorithm[]).map((alg): (typeof trials)[0] => {
    const pair = signingPair(alg.replace('PS', 'RS'))
    const verify = jwt({ publicKey: pair.publicKey, algorithms: [alg], ...rules })
    return [alg, verify, pair.publicKey, keySigner(pair.privateKey, alg), signingPair(alg)]
  }),
]

describe('a second opinion', () => {
  const runs = share(1 / 100)

  it.each(trials)(
    `on ${runs} tokens with %s agrees`,
    { timeout: timeFor(runs) },
    async (alg, verify, key, good, bad) => {
      const options = { algorithms: [alg], issuer, audience, requiredClaims: ['iat', 'exp'], clockTolerance: 5 }
      const answers = new Map<string, number>()
      await fuzz(inputs, runs, async ({ changes, byStranger, harm, textDamage }) => {
        const written = tokenBy(byStranger ? bad : good, changes)
        const token = harm ? textDamage(written) : written
        const answer = await verify(token, contextAt())
        const reason = 'rejected' in answer ? answer.rejected : 'accepted'
        answers.set(reason, (answers.get(reason) ?? 0) + 1)
        const claims = await jwtVerify(token, key, { ...options, currentDate: new Date(now) }).then(
          ({ payload }) => payload,
          () => undefined,
        )
        if ('identity' in answer) expect(answer.identity.claims).toEqual(claims)
        else if (claims) expect(stricter).toContain(reason)
      })
      for (const reason of ['accepted', 'token-signature', 'token-issuer', 'credential-expired']) {
        expect(answers.get(reason), reason).toBeGreaterThan(0)
      }
    },
  )
})
