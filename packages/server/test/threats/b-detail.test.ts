import { createGuard, type GuardEvent, header, logRefusals, query, rejected, type Verifier } from '@sallyport/server'
import { jwt } from '@sallyport/server/jwt'
import { describe, expect, it } from 'vitest'
import { testClock } from '../support/clock.js'
import { handshake } from '../support/handshake.js'
import { rawHandshake, rawRequest } from '../support/raw.js'
import { startServer } from '../support/server.js'
import {
  audience,
  goodClaims,
  hmac,
  hmacSigner,
  issuer,
  now,
  secret,
  type TokenChanges,
  tokenBy,
} from '../support/tokens.js'

const verify = jwt({ secret, algorithms: ['HS256'], issuer, audience })

/** What is told of a bearer credential: the event of its refusal, and the line in the log. */
async function told(credential: string, verifier: Verifier = verify) {
  const guard = createGuard({ clock: testClock(now), accept: [header({ verify: verifier })] })
  const events: GuardEvent[] = []
  const lines: string[] = []
  guard.subscribe((event) => events.push(event))
  logRefusals(guard, (line) => lines.push(line))
  const verdict = await guard.decide(handshake({ headers: [['authorization', `Bearer ${credential}`]] }))
  const [event] = events
  const [line] = lines
  if (verdict.type === 'accept') return { accepted: true }
  if (event?.type !== 'refused' || !line) throw new Error('no refusal was told')
  expect(JSON.parse(line).detail).toBe(event.detail)
  return { reason: event.reason, detail: event.detail }
}

describe('B37 what a refusal tells its operator', () => {
  it.each<[string, TokenChanges, string, string]>([
    [
      'another issuer',
      { claims: { iss: 'https://id.example.com/' } },
      'token-issuer',
      'iss is "https://id.example.com/", expected "https://id.example.com"',
    ],
    ['no issuer', { claims: { iss: undefined } }, 'token-issuer', 'iss is missing, expected "https://id.example.com"'],
    [
      'another audience',
      { claims: { aud: ['web', 'admin'] } },
      'token-audience',
      'aud is ["web", "admin"], expected "https://api.example.com"',
    ],
    [
      'no audience',
      { claims: { aud: undefined } },
      'token-audience',
      'aud is missing, expected "https://api.example.com"',
    ],
    [
      'another type',
      { header: { typ: 'dpop+jwt' } },
      'token-type',
      'typ is "dpop+jwt", expected none or "jwt" or "at+jwt"',
    ],
    ['an ID token', { claims: { at_hash: 'x' } }, 'token-type', 'at_hash makes it no access token'],
    ['a bound token', { claims: { cnf: {} } }, 'token-type', 'the token is bound to a key (cnf)'],
    ['another algorithm', { header: { alg: 'none' } }, 'token-algorithm', 'alg is "none", expected "HS256"'],
    [
      'too long a life',
      { claims: { exp: now / 1000 + 604_800 - 10 } },
      'credential-lifetime',
      'lives 604800 s, maxLifetime 86400 s',
    ],
    ['its end', { claims: { exp: now / 1000 - 65 } }, 'credential-expired', 'exp was 65 s ago, leeway 5 s'],
    [
      'its beginning',
      { claims: { nbf: now / 1000 + 30 } },
      'credential-not-yet-valid',
      'nbf is 30 s ahead, leeway 5 s',
    ],
    [
      'a clock ahead',
      { claims: { iat: now / 1000 + 30 } },
      'credential-not-yet-valid',
      'iat is 30 s ahead, leeway 5 s',
    ],
    ['no end', { claims: { exp: undefined } }, 'token-claims', 'exp is missing'],
    ['nobody', { claims: { sub: undefined } }, 'token-claims', 'sub is missing'],
  ])('B37 names what came and what was expected: %s', async (_, changes, reason, detail) => {
    expect(await told(tokenBy(hmac, changes))).toEqual({ reason, detail })
    expect(await told(tokenBy(hmac))).toEqual({ accepted: true })
  })

  it('B37 says how long a token in a URL may live', async () => {
    const guard = createGuard({ clock: testClock(now), accept: [query({ verify })] })
    const details: unknown[] = []
    guard.subscribe((event) => details.push(event.type === 'refused' ? event.detail : event.type))
    await guard.decide(handshake({ target: `/ws?token=${tokenBy(hmac)}` }))
    expect(details).toEqual(['lives 300 s by query, where 60 s are allowed'])
  })

  it('B37 believes nothing of a token that is not signed, and tells nothing of it', async () => {
    const forged = tokenBy(hmacSigner('another secret of at least 32 bytes'), {
      claims: { iss: 'https://evil.example' },
    })
    expect(await told(forged)).toEqual({ reason: 'token-signature', detail: undefined })
  })

  it.each([
    ['line breaks', '\r\n{"event":"accepted"}'],
    ['ANSI', '\u001b[31m'],
    ['C1 and separators', '\u009b31m\u2028\u2029'],
    ['letters that turn the line around', '\u202egnp.exe'],
    ['half a letter', '\ud800'],
  ])('B37 hands nothing to a log that it could take for something else: %s', async (_, text) => {
    for (const changes of [{ claims: { iss: text } }, { claims: { aud: [text] } }, { header: { typ: text } }]) {
      const { reason, detail } = await told(tokenBy(hmac, changes))
      expect(reason).toMatch(/^token-/)
      expect(detail).toMatch(/^[\x20-\x7e]+$/)
    }
    const own = await told('x', () => rejected('credential-unknown', text))
    expect(own.detail).toMatch(/^[\x20-\x7e]+$/)
  })

  it('B37 is short, whatever came', async () => {
    const long = 'x'.repeat(2_000)
    for (const aud of [long, [long, long], [...long.slice(1_000)], [[long]], { [long]: 1 }]) {
      const { reason, detail } = await told(tokenBy(hmac, { claims: { aud } }))
      expect(reason).toBe('token-audience')
      expect(detail!.length).toBeLessThanOrEqual(503)
      expect(detail).toContain('expected "https://api.example.com"')
    }
    const own = await told('x', () => rejected('credential-unknown', long))
    expect(own.detail).toHaveLength(503)
  })

  it('B37 takes a detail that is no text for none', async () => {
    const verifier = () => ({ rejected: 'credential-unknown', detail: { toString: 1 } }) as never
    expect(await told('x', verifier)).toEqual({ reason: 'credential-unknown', detail: undefined })
  })

  it('B37 tells no client', async () => {
    const guard = createGuard({ clock: testClock(now), accept: [header({ verify })] })
    const { port } = await startServer(guard)
    const ask = async (changes: TokenChanges) => {
      const authorization = `Bearer ${tokenBy(hmac, changes)}`
      const { status, text } = await rawRequest(port, rawHandshake('/ws', { Authorization: authorization }))
      return { status, text }
    }
    const answer = await ask({ claims: { aud: 'canary' } })
    expect(answer.status).toBe(401)
    expect(answer.text).not.toContain('canary')
    expect(await ask({ claims: { exp: now / 1000 - 65 } })).toEqual(answer)
  })

  it('B37 shows no claim but those that decide', async () => {
    const { detail } = await told(tokenBy(hmac, { claims: { ...goodClaims(), aud: 'web', email: 'canary' } }))
    expect(detail).toBe('aud is "web", expected "https://api.example.com"')
  })
})
