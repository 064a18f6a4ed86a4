import { generateKeyPairSync } from 'node:crypto'
import { expect, it } from 'vitest'
import { UnavailableError, type Verifier } from '../../src/index.js'
import { type JwksOptions, jwks, jwt } from '../../src/verifiers/tokens.js'
import { testClock } from '../support/clock.js'
import { type Answer, holdAnswer, type JsonServer, silence, startJsonServer, status } from '../support/json-server.js'
import { audience, issuer, now, signingPair, tokenBy } from '../support/tokens.js'
import { accepted, contextAt, isRemembered, refused } from '../support/verification.js'

const pair = signingPair('ES256', 'key-1')
const next = signingPair('ES256', 'key-2')
const keySet = (...pairs: (typeof pair)[]) => ({ keys: pairs.map((one) => one.jwk()) })
const minute = 60_000
/** Long enough for any test, so that only `iat` and `exp` do not decide. */
const claims = { iat: now / 1000, exp: now / 1000 + 86_400 }
const token = tokenBy(pair, { claims })

async function start(answer: Answer, options?: JwksOptions) {
  const server = await startJsonServer(answer)
  const keys = jwks(server.url, options)
  return { server, keys, verify: jwt({ jwks: keys, algorithms: ['ES256'], issuer, audience }) }
}

/** Presents tokens at the same time, and counts the answers. */
async function flood(verify: Verifier, tokens: readonly string[], at = now) {
  const answers = await Promise.allSettled(tokens.map(async (text) => verify(text, contextAt(at))))
  const unavailable = answers.filter((one) => one.status === 'rejected' && one.reason instanceof UnavailableError)
  const rejectedOnes = answers.filter((one) => one.status === 'fulfilled' && 'rejected' in one.value)
  return { unavailable: unavailable.length, rejected: rejectedOnes.length }
}

const garbage = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => tokenBy(pair, { header: { kid: `garbage-${from + i}` }, claims }))

const unavailable = (verify: Verifier, text: string, at = now) =>
  expect(async () => verify(text, contextAt(at))).rejects.toThrow(UnavailableError)

it('B20 fetches once for a hundred unknown keys at a cold start', async () => {
  const { server, verify } = await start(keySet(pair))
  expect(await flood(verify, garbage(100))).toEqual({ unavailable: 0, rejected: 100 })
  expect(server.received).toHaveLength(1)
  await accepted(verify, token)
})

/** The seconds at which the server was asked, while unknown keys come in all the time. */
async function secondsOfFetches(server: JsonServer, verify: Verifier, from: number, to: number): Promise<number[]> {
  const seconds: number[] = []
  for (let second = from; second <= to; second += 0.5) {
    const before = server.received.length
    await flood(verify, garbage(2, second * 10), now + second * 1000)
    if (server.received.length > before) seconds.push(second)
    expect(server.received.length - before).toBeLessThanOrEqual(1)
  }
  return seconds
}

it('B20 fetches ever more seldom for unknown keys, however many: in the end once a cooldown', async () => {
  const { server, verify } = await start(keySet(pair))
  await accepted(verify, token)
  const seconds = await secondsOfFetches(server, verify, 0.5, 300)
  expect(seconds).toEqual([1, 3, 7, 15, 31, 61, 91, 121, 151, 181, 211, 241, 271])
  // What was fetched is good for everybody, and after a rest it begins anew.
  await accepted(verify, tokenBy(pair, { claims: { ...claims, jti: 'token-2' } }), now + 300_000)
  expect(await secondsOfFetches(server, verify, 340, 350)).toEqual([340, 341, 343, 347])
})

it('B20 fetches as seldom while the server fails, and turns the others away at once', async () => {
  const { server, verify } = await start(status(503))
  expect(await flood(verify, garbage(50))).toEqual({ unavailable: 50, rejected: 0 })
  for (const text of garbage(50)) await unavailable(verify, text)
  expect(server.received).toHaveLength(1)
  expect(await secondsOfFetches(server, verify, 0.5, 130)).toEqual([1, 3, 7, 15, 31, 61, 91, 121])
  server.answer = keySet(pair)
  await unavailable(verify, token, now + 150_999)
  await accepted(verify, token, now + 151_000)
})

it('B20 fetches no more often than it is told', async () => {
  const { server, verify } = await start(keySet(pair), { cooldown: 4_000 })
  await accepted(verify, token)
  expect(await secondsOfFetches(server, verify, 0.5, 20)).toEqual([1, 3, 7, 11, 15, 19])
})

it('B20 lets known keys pass while an unknown one makes it fetch', async () => {
  const { server, verify } = await start(keySet(pair))
  await accepted(verify, token)
  const held = holdAnswer(keySet(pair))
  server.answer = held.answer
  const asked = server.nextRequest()
  const waiting = flood(verify, garbage(1), now + minute)
  await asked
  await accepted(verify, tokenBy(pair, { claims: { ...claims, jti: 'token-2' } }), now + minute)
  held.release()
  expect(await waiting).toEqual({ unavailable: 0, rejected: 1 })
})

it('B21 lives on the last good keys while the server fails, then says that it cannot know', async () => {
  const { server, verify } = await start(keySet(pair))
  const other = (name: string) => tokenBy(pair, { claims: { ...claims, jti: name } })
  await accepted(verify, token)
  server.answer = status(500)
  await accepted(verify, other('a'), now + 11 * minute)
  await accepted(verify, other('b'), now + 69 * minute)
  await accepted(verify, token, now + 69 * minute)
  await unavailable(verify, other('c'), now + 70 * minute)
  await unavailable(verify, token, now + 70 * minute)
  server.answer = keySet(pair)
  await accepted(verify, token, now + 71 * minute)
})

it('B21 asks a failing server once a cooldown, and remembers tokens meanwhile', async () => {
  const { server, verify } = await start(keySet(pair))
  await accepted(verify, token)
  server.answer = status(500)
  const later = now + 11 * minute
  await isRemembered(verify, token, later)
  for (let i = 1; i < 20; i++) expect(await isRemembered(verify, token, later + i)).toBe(true)
  expect(server.received).toHaveLength(2)
})

it('B21 cannot know an unknown key while the server fails, but knows it is none while the server is well', async () => {
  const { server, verify } = await start(keySet(pair))
  await accepted(verify, token)
  const stranger = tokenBy(next, { claims })
  await refused(verify, stranger, 'token-key', now + 1)
  server.answer = status(500)
  await unavailable(verify, stranger, now + minute)
  await accepted(verify, token, now + minute)
})

const html: Answer = (response) => response.setHeader('content-type', 'text/html').end('<html>sign in</html>')
const huge: Answer = (response) => {
  response.write('{"keys":[],"padding":"')
  const chunk = 'x'.repeat(65_536)
  const write = () => {
    while (!response.destroyed) if (!response.write(chunk)) return void response.once('drain', write)
  }
  write()
}

it.each([
  ['a page', html],
  ['text that is no JSON', ((response) => response.end('{"keys":')) as Answer],
  ['null', ((response) => response.end('null')) as Answer],
  ['JSON that is no key set', { active: true }],
  ['keys that are no list', { keys: {} }],
  ['more than it may', huge],
  ['not found', status(404)],
  ['nothing', status(204)],
  ['a broken connection', ((response) => void response.destroy()) as Answer],
])('B22 does not take %s for a key set', async (_, answer) => {
  const { server, verify } = await start(answer)
  await unavailable(verify, token)
  server.answer = keySet(pair)
  await accepted(verify, token, now + minute)
})

it('B22 follows no redirect', async () => {
  const target = await startJsonServer(keySet(pair))
  const { server, verify } = await start(status(302, { location: target.url }))
  await unavailable(verify, token)
  expect(target.received).toEqual([])
  server.answer = keySet(pair)
  await accepted(verify, token, now + minute)
})

it.each([
  ['is silent', silence],
  ['sends the head alone', ((response) => response.flushHeaders()) as Answer],
  ['sends half of it', ((response) => void response.write('{"keys":[')) as Answer],
])('B22 waits three seconds and no longer for a server that %s', async (_, answer) => {
  const clock = testClock(now)
  const quick = await start(keySet(pair), { clock })
  await accepted(quick.verify, token)
  expect(clock.pending).toBe(0)
  const { server, verify } = await start(answer, { clock })
  const asked = server.nextRequest()
  const answered = expect(async () => verify(token, contextAt())).rejects.toThrow(UnavailableError)
  await asked
  clock.advance(2_999)
  expect(clock.pending).toBe(1)
  clock.advance(1)
  await answered
  expect(clock.pending).toBe(0)
})

const weak = signingPair('RS256', 'key-1', 1024)
const rsa = signingPair('RS256', 'key-1')

it.each<[string, object[], 'RS256' | 'ES256', typeof pair]>([
  ['a private key', [pair.privateKey.export({ format: 'jwk' })], 'ES256', pair],
  ['a key for encryption', [pair.jwk({ use: 'enc' })], 'ES256', pair],
  ['a key for signing only', [pair.jwk({ key_ops: ['sign'] })], 'ES256', pair],
  ['a key whose operations are no list', [pair.jwk({ key_ops: 'verify' })], 'ES256', pair],
  ['a key of another algorithm', [pair.jwk({ alg: 'ES384' })], 'ES256', pair],
  ['a key without a point', [pair.jwk({ x: undefined })], 'ES256', pair],
  ['a key with a point off the curve', [pair.jwk({ x: pair.jwk().y })], 'ES256', pair],
  ['a weak RSA key', [weak.jwk()], 'RS256', weak],
  ['a key of no known type', [pair.jwk({ kty: 'XX' })], 'ES256', pair],
])('B22 does not use %s', async (_, keys, algorithm, signer) => {
  const server = await startJsonServer({ keys })
  const verify = jwt({ jwks: server.url, algorithms: [algorithm], issuer, audience })
  await refused(verify, tokenBy(signer, { header: { kid: 'key-1' } }), 'token-key')
  const good = algorithm === 'RS256' ? rsa : pair
  server.answer = { keys: [...keys, good.jwk()] }
  await accepted(verify, tokenBy(good), now + minute)
})

it('B22 does not use a secret that a key set publishes', async () => {
  const k = Buffer.alloc(32, 1).toString('base64url')
  const { verify } = await start({ keys: [{ kty: 'oct', k, kid: 'key-1', alg: 'HS256' }, null, 5, pair.jwk()] })
  await accepted(verify, token)
  await refused(
    verify,
    token.replace(/^[^.]+/, Buffer.from('{"alg":"HS256"}').toString('base64url')),
    'token-algorithm',
  )
})

it('B22 tries each key where several have the same name, or the token has none', async () => {
  const twin = signingPair('ES256', 'key-1')
  const { verify } = await start(keySet(twin, pair))
  await accepted(verify, token)
  await accepted(verify, tokenBy(pair, { header: { kid: undefined }, claims }))
  await refused(verify, tokenBy(signingPair('ES256', 'key-1'), { claims }), 'token-signature')
})

it('B22 tries eight keys on one token and no more', async () => {
  const many = Array.from({ length: 20 }, () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
  const jwkOf = (key: (typeof many)[number]) => key.export({ format: 'jwk' })
  const nameless = tokenBy(pair, { header: { kid: undefined }, claims })
  const { verify } = await start({ keys: [...many.slice(0, 7).map(jwkOf), pair.jwk()] })
  await accepted(verify, nameless)
  const crowded = await start({ keys: [...many.map(jwkOf), pair.jwk()] })
  await refused(crowded.verify, nameless, 'token-signature')
  await accepted(crowded.verify, token)
})

it('B38 learns a new key at once, or a second after the last fetch', async () => {
  const { server, verify } = await start(keySet(pair))
  const fresh = tokenBy(next, { claims })
  await accepted(verify, token)
  server.answer = keySet(pair, next)
  await refused(verify, fresh, 'token-key', now + 999)
  await accepted(verify, fresh, now + 1_000)
  await accepted(verify, token, now + 1_000)
  const third = signingPair('ES256', 'key-3')
  server.answer = keySet(pair, next, third)
  await accepted(verify, tokenBy(third, { claims }), now + minute)
})

it('B38 learns it two seconds later where the server publishes it two seconds late', async () => {
  const { server, verify } = await start(keySet(pair))
  const fresh = tokenBy(next, { claims })
  await accepted(verify, token)
  await refused(verify, fresh, 'token-key', now + minute)
  await refused(verify, fresh, 'token-key', now + minute + 1_000)
  server.answer = keySet(pair, next)
  await accepted(verify, fresh, now + minute + 3_000)
})

it('B23 forgets a removed key within its age, and the tokens that it verified with it', async () => {
  const { server, verify } = await start(keySet(pair, next))
  await accepted(verify, token)
  server.answer = keySet(next)
  await accepted(verify, token, now + 10 * minute - 1)
  await refused(verify, token, 'token-key', now + 10 * minute)
  await accepted(verify, tokenBy(next, { claims }), now + 10 * minute)
})

it('B23 remembers no token while it asks whether its key is still there', async () => {
  const { server, verify } = await start(keySet(pair))
  await accepted(verify, token)
  const held = holdAnswer(keySet(next))
  server.answer = held.answer
  const asked = server.nextRequest()
  const answers = [verify(token, contextAt(now + 10 * minute)), verify(token, contextAt(now + 10 * minute))]
  await asked
  held.release()
  expect(await Promise.all(answers)).toEqual([{ rejected: 'token-key' }, { rejected: 'token-key' }])
  await accepted(verify, tokenBy(next, { claims }), now + 10 * minute)
})

it('B23 forgets a removed key when it learns of it by the way', async () => {
  const { server, verify } = await start(keySet(pair))
  await accepted(verify, token)
  server.answer = keySet(next)
  await accepted(verify, tokenBy(next, { claims }), now + minute)
  await refused(verify, token, 'token-key', now + minute)
})

it('B23 takes an empty key set for what it says', async () => {
  const { server, verify } = await start(keySet(pair))
  await accepted(verify, token)
  server.answer = keySet()
  await refused(verify, token, 'token-key', now + 10 * minute)
})

it('B23 remembers tokens while the keys stay the same', async () => {
  const { server, verify } = await start(keySet(pair))
  await isRemembered(verify, token)
  const other = tokenBy(pair, { claims: { ...claims, jti: 'token-2' } })
  await accepted(verify, other, now + 10 * minute)
  expect(server.received).toHaveLength(2)
  expect(await isRemembered(verify, token, now + 10 * minute)).toBe(true)
})

it('B23 forgets everything when it is purged', async () => {
  const { server, keys, verify } = await start(keySet(pair))
  await accepted(verify, token)
  server.answer = keySet(next)
  await accepted(verify, token, now + 1)
  keys.purge()
  await refused(verify, token, 'token-key', now + 1)
  await accepted(verify, tokenBy(next, { claims }), now + 1)
  expect(server.received).toHaveLength(2)
})

it('B23 does not believe an answer that was asked for before the purge', async () => {
  const held = holdAnswer(keySet(pair))
  const { server, keys, verify } = await start(held.answer)
  const asked = server.nextRequest()
  const answered = verify(token, contextAt())
  await asked
  keys.purge()
  server.answer = keySet(next)
  await accepted(verify, tokenBy(next, { claims }))
  held.release()
  expect(await answered).toEqual({ rejected: 'token-key' })
  await refused(verify, token, 'token-key')
})

it('B23 does not mind a failure of what was asked before the purge', async () => {
  let fail = () => {}
  const { server, keys, verify } = await start((response) => {
    fail = () => response.writeHead(500).end()
  })
  const asked = server.nextRequest()
  const answered = verify(token, contextAt())
  await asked
  keys.purge()
  server.answer = keySet(next)
  await accepted(verify, tokenBy(next, { claims }))
  fail()
  expect(await answered).toEqual({ rejected: 'token-key' })
  await refused(verify, tokenBy(pair, { header: { kid: 'unknown' }, claims }), 'token-key')
})

it('B23 has no keys when it is purged while it fetches them', async () => {
  const held = holdAnswer(keySet(pair))
  const { server, keys, verify } = await start(held.answer)
  const asked = server.nextRequest()
  const answered = unavailable(verify, token)
  await asked
  keys.purge()
  held.release()
  await answered
  server.answer = keySet(pair)
  await accepted(verify, token)
})

it('B20 shares one fetch among all who wait for it', async () => {
  const { server, verify } = await start(keySet(pair))
  const tokens = Array.from({ length: 50 }, (_, i) => tokenBy(pair, { claims: { ...claims, jti: `token-${i}` } }))
  expect(await flood(verify, tokens)).toEqual({ unavailable: 0, rejected: 0 })
  expect(server.received).toHaveLength(1)
})

it('B21 tells nothing of the key server but its address', async () => {
  const { server, verify } = await start(html)
  await expect(async () => verify(token, contextAt())).rejects.toThrow(`${server.url} did not send JSON`)
})

it.each([
  ['has failed while the clock was ahead', status(503), pair],
  ['had another key while the clock was ahead', keySet(pair), next],
])('I10 asks a server again that %s by an hour', async (_, before, presented) => {
  const { server, verify } = await start(before)
  const ahead = now + 60 * minute
  await Promise.resolve(verify(tokenBy(pair, { claims }), contextAt(ahead))).catch(() => {})
  server.answer = keySet(pair, next)
  await accepted(verify, tokenBy(presented, { claims }))
  expect(server.received).toHaveLength(2)
})

it('I10 trusts a key no longer that was fetched while the clock was ahead', async () => {
  const { server, verify } = await start(keySet(pair), { maxAge: minute, cooldown: minute })
  await accepted(verify, token, now + 60 * minute)
  server.answer = keySet(next)
  await accepted(verify, token, now)
  await refused(verify, token, 'token-key', now + 2 * minute)
})

it.each([
  ['a byte order mark', '\ufeff', true],
  ['two of them', '\ufeff\ufeff', false],
])('takes a key set behind %s for one: %s', async (_, mark, isGood) => {
  const { verify } = await start((response) => response.end(`${mark}${JSON.stringify(keySet(pair))}`))
  if (isGood) await accepted(verify, token)
  else await unavailable(verify, token)
})
