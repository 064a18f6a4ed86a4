import fc from 'fast-check'
import { expect, it } from 'vitest'
import { jwt } from '../../src/verifiers/tokens.js'
import { startJsonServer } from '../support/json-server.js'
import { base64url, hmac, rules, secret, signatureOf, signingPair, tokenBy, withSignature } from '../support/tokens.js'
import { accepted, contextAt, refused } from '../support/verification.js'

const verify = jwt({ secret, algorithms: ['HS256'], ...rules })
const good = tokenBy(hmac)
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

it.each([
  ['a path', '../../../../dev/null'],
  ['SQL', "x' OR '1'='1"],
  ['__proto__', '__proto__'],
  ['constructor', 'constructor'],
  ['empty', ''],
  ['an object', { kid: 'key-1' }],
  ['a list', ['key-1']],
  ['null', null],
])('B05 finds no key for a kid that is %s', async (_, kid) => {
  const pair = signingPair('ES256', 'key-1')
  const server = await startJsonServer({ keys: [pair.jwk()] })
  const byKeySet = jwt({ jwks: server.url, algorithms: ['ES256'], ...rules })
  await accepted(byKeySet, tokenBy(pair))
  await refused(byKeySet, tokenBy(pair, { header: { kid } }), 'token-key')
  expect(server.received).toHaveLength(1)
})

it('B05 refuses a kid that is no text also where no key has a name', async () => {
  await accepted(verify, tokenBy(hmac, { header: { kid: 'any' } }))
  for (const kid of [5, null, {}, ['any']]) {
    await refused(verify, tokenBy(hmac, { header: { kid } }), 'token-key')
  }
})

it('B05 is not upset by a kid of 64 KiB', async () => {
  await accepted(verify, tokenBy(hmac, { header: { kid: 'k'.repeat(65_536) } }))
  await accepted(verify, tokenBy(hmac, { header: { kid: 'k'.repeat(100) } }))
})

it.each([
  ['a space at its end', `${good} `],
  ['a space at its start', ` ${good}`],
  ['a line end', `${good}\n`],
  ['a carriage return within', good.replace('.', '.\r')],
  ['padding', `${good}=`],
  ['a fourth part', `${good}.`],
  ['a fourth part that is not empty', `${good}.AAAA`],
  ['two parts', good.slice(0, good.lastIndexOf('.'))],
  ['an empty payload', good.replace(/\.[^.]+\./, '..')],
  ['a character of another alphabet', good.replace(/.$/, '+')],
  ['a character that is not ASCII', `${good}\u00e9`],
  ['a NUL', `${good}\u0000`],
  ['a byte order mark', `\ufeff${good}`],
])('B14 refuses a token with %s', async (_, token) => {
  await accepted(verify, good)
  await refused(verify, token, 'credential-unreadable')
})

it('B15 refuses every other spelling of the last character', async () => {
  await accepted(verify, good)
  const others = [...alphabet].filter((character) => !good.endsWith(character))
  const answers = new Set<string>()
  for (const character of others) {
    const verification = await verify(good.slice(0, -1) + character, contextAt())
    answers.add('rejected' in verification ? verification.rejected : 'accepted')
  }
  // Three of them decode to the very same signature.
  expect([...answers].sort()).toEqual(['credential-unreadable', 'token-signature'])
})

it('B15 gives both spellings of an ECDSA signature the same ids, by which they are revoked', async () => {
  const pair = signingPair('ES256')
  const byKey = jwt({ publicKey: pair.publicKey, algorithms: ['ES256'], ...rules })
  const token = tokenBy(pair, { claims: { sid: 'login-1' } })
  const signature = signatureOf(token)
  const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')
  const s = order - BigInt(`0x${signature.subarray(32).toString('hex')}`)
  const other = Buffer.concat([signature.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')])
  const twin = withSignature(token, other)
  expect(twin).not.toBe(token)
  const first = await accepted(byKey, token)
  expect(first).toMatchObject({ session: 'login-1', token: 'token-1' })
  expect(await accepted(byKey, twin)).toEqual(first)
})

it('B28 takes a token of any length: how long one may be is the guard’s to say', async () => {
  await accepted(verify, tokenBy(hmac, { header: { x: 'x'.repeat(100_000) } }))
})

it('B28 spends nothing on a megabyte, or on eight million dots', async () => {
  // Texts as they come off the wire: in one piece.
  const flat = (text: string) => Buffer.from(text, 'latin1').toString('latin1')
  const texts = [flat('A'.repeat(1_000_000)), flat('.'.repeat(8_000_000)), flat('.'.repeat(8_000))]
  let quickest = Number.POSITIVE_INFINITY
  // A machine that is busy elsewhere is slow now and then, and not always.
  for (let i = 0; i < 5; i++) {
    const started = performance.now()
    for (const text of texts) await refused(verify, text, 'credential-unreadable')
    quickest = Math.min(quickest, performance.now() - started)
  }
  expect(quickest).toBeLessThan(50)
})

it('B14 refuses whatever differs from the token by one character', async () => {
  const index = fc.nat(good.length - 1)
  const character = fc.constantFrom(...alphabet, '.', '=', ' ', '\n', '\u00e9')
  await fc.assert(
    fc.asyncProperty(index, character, async (at, other) => {
      const mutant = good.slice(0, at) + other + good.slice(at + 1)
      const verification = await verify(mutant, contextAt())
      expect('rejected' in verification).toBe(mutant !== good)
    }),
    { numRuns: 300 },
  )
})

it('B14 accepts only the text that was signed, for any claims', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 2 }), async (extra) => {
      const token = tokenBy(hmac, { claims: { extra } })
      const claims = (await accepted(verify, token)).identity.claims
      expect(claims.extra).toEqual(JSON.parse(JSON.stringify(extra)))
      const [header, payload, signature] = token.split('.')
      const respelled = base64url(` ${Buffer.from(`${payload}`, 'base64url').toString()}`)
      await refused(verify, `${header}.${respelled}.${signature}`, 'token-signature')
    }),
    { numRuns: 30 },
  )
})
