import { describe, expect, it, vi } from 'vitest'
import { ConfigurationError, UnavailableError, type Verifier } from '../../src/index.js'
import { discover, type Fetch, type OidcOptions, oidc } from '../../src/verifiers/tokens.js'
import { testClock } from '../support/clock.js'
import { nextTurn } from '../support/deferred.js'
import { type Answer, silence, startJsonServer, status } from '../support/json-server.js'
import { audience, now, signingPair, tokenBy } from '../support/tokens.js'
import { accepted, contextAt, refused } from '../support/verification.js'

const pair = signingPair('ES256', 'key-1')
const next = signingPair('ES256', 'key-2')
const wellKnown = '/.well-known/openid-configuration'

/** A provider with a discovery document and a key set, both as the test says. */
async function start(options: Partial<OidcOptions> = {}, path = '') {
  const server = await startJsonServer((response, { url }) => {
    const answer = url.endsWith(wellKnown) ? provider.document : provider.keys
    if (typeof answer === 'function') answer(response, { method: '', url, headers: {}, body: '' })
    else response.end(JSON.stringify(answer))
  })
  const issuer = server.url.slice(0, -1) + path
  const good = { issuer, jwks_uri: `${server.url}keys` }
  const provider = { document: good as Answer, keys: { keys: [pair.jwk()] } as Answer }
  const claims = { iss: issuer, iat: now / 1000, exp: now / 1000 + 86_400 }
  const token = (signer = pair, changes = {}) => tokenBy(signer, { claims: { ...claims, ...changes } })
  const verify = oidc({ issuer, algorithms: ['ES256'], audience, ...options } as OidcOptions & { identify?: undefined })
  const asked = () => server.received.map(({ url }) => url)
  return { server, issuer, provider, good, verify, token, asked }
}

async function unavailable(verify: Verifier, token: string, message: string, at = now) {
  const answer = (async () => verify(token, contextAt(at)))()
  await expect(answer).rejects.toThrow(UnavailableError)
  await expect(answer).rejects.toThrow(message)
}

describe('E61 a discovery document', () => {
  it.each([
    ['', 'no path'],
    ['/realms/chat', 'a path'],
    ['/', 'a slash at its end'],
  ])('E61 is where an issuer with %j has it', async (path) => {
    const { verify, token, issuer, asked } = await start({}, path)
    expect((await accepted(verify, token())).identity).toMatchObject({ id: 'ada', issuer })
    expect(asked()).toEqual([`${path === '/' ? '' : path}${wellKnown}`, '/keys'])
  })

  it.each<[string, (issuer: string) => unknown]>([
    ['another issuer', () => 'https://id.example.com'],
    ['a slash more', (issuer) => `${issuer}/`],
    ['another case', (issuer) => issuer.replace('http', 'HTTP')],
    ['another path', (issuer) => `${issuer}/other`],
    ['no issuer', () => undefined],
    ['a list', (issuer) => [issuer]],
  ])('E61 that names %s brings no keys', async (_, named) => {
    const { verify, token, issuer, provider, good, asked } = await start()
    provider.document = { ...good, issuer: named(issuer) }
    await unavailable(verify, token(), 'give that as issuer if it is right')
    expect(asked()).toEqual([wellKnown])
    provider.document = good
    await accepted(verify, token(), now + 1_000)
  })

  it('E61 of its own lets nobody in with tokens of another issuer', async () => {
    const { verify, token } = await start()
    await refused(verify, token(pair, { iss: 'https://id.example.com' }), 'token-issuer')
    await refused(verify, token(signingPair('ES256', 'key-1')), 'token-signature')
    await refused(verify, token(pair, { aud: 'other' }), 'token-audience')
    await accepted(verify, token())
  })

  it.each<[string, unknown]>([
    ['an address without TLS', 'http://id.example.com/keys'],
    ['no address', undefined],
    ['a file', 'file:///etc/passwd'],
    ['data', 'data:application/json,{"keys":[]}'],
    ['a user name', 'https://user:pass@id.example.com/keys'],
    ['a number', 5],
  ])('E61 that says of the keys %s is believed no more than we are', async (_, endpoint) => {
    const fetched = vi.fn<Fetch>((url, init) => fetch(url, init))
    const { verify, token, provider, good } = await start({ jwks: { fetch: fetched } })
    provider.document = { ...good, jwks_uri: endpoint }
    await unavailable(verify, token(), 'names no place for keys')
    expect(fetched).toHaveBeenCalledTimes(1)
    provider.document = good
    await accepted(verify, token(), now + 1_000)
  })

  it('E61 may name an address without TLS where that is allowed out loud', async () => {
    const inside = 'http://keycloak:8080/keys'
    const { provider, good, server, issuer, token } = await start()
    provider.document = { ...good, jwks_uri: inside }
    const through: Fetch = (url, init) => fetch(url === inside ? `${server.url}keys` : url, init)
    const verifier = (dangerouslyAllowHttp: boolean) =>
      oidc({ issuer, algorithms: ['ES256'], audience, jwks: { fetch: through, dangerouslyAllowHttp } })
    await unavailable(verifier(false), token(), 'names no place for keys')
    await accepted(verifier(true), token())
  })
})

describe('E62 a provider that is down', () => {
  it.each<[string, Answer]>([
    ['500', status(500)],
    ['404', status(404)],
    ['a redirect', status(302, { location: 'https://evil.example/' })],
    ['no JSON', (response) => response.end('<html>')],
    ['a list', []],
    ['too much', (response) => response.end(JSON.stringify({ issuer: 'x'.repeat(600_000) }))],
    ['nothing, and hangs up', (response) => response.destroy()],
  ])('E62 and answers %s is no bad credential, and is asked again', async (_, answer) => {
    const { verify, token, provider } = await start()
    const { document, keys } = provider
    for (const [broken, at] of [
      [{ document: answer }, now],
      [{ keys: answer }, now + 1_000],
    ] as const) {
      Object.assign(provider, { document, keys }, broken)
      await expect(async () => verify(token(), contextAt(at))).rejects.toThrow(UnavailableError)
    }
    Object.assign(provider, { document, keys })
    await accepted(verify, token(), now + 3_000)
  })

  it('E62 is asked once for a hundred tokens, and seldom while it fails', async () => {
    const { verify, token, provider, good, asked } = await start()
    provider.document = status(503)
    const flood = (at: number) =>
      Promise.allSettled(Array.from({ length: 100 }, async () => verify(token(), contextAt(at))))
    expect((await flood(now)).every(({ status }) => status === 'rejected')).toBe(true)
    await flood(now + 999)
    expect(asked()).toHaveLength(1)
    provider.document = good
    expect((await flood(now + 1_000)).every(({ status }) => status === 'fulfilled')).toBe(true)
    expect(asked()).toHaveLength(3)
  })

  it('E62 has the time of one fetch for its document and its keys', async () => {
    const clock = testClock(now)
    const { verify, token, provider, good, server } = await start({ jwks: { clock, timeout: 2_000 } })
    let answerDocument = () => {}
    provider.document = (response) => {
      answerDocument = () => response.end(JSON.stringify(good))
    }
    provider.keys = silence
    const asked = server.nextRequest()
    const answered = unavailable(verify, token(), 'did not come in time')
    await asked
    clock.advance(1_500)
    const keysAsked = server.nextRequest()
    answerDocument()
    await keysAsked
    clock.advance(500)
    await answered
  })

  it('E62 is lived without on the last good keys, but not for ever', async () => {
    const { verify, token, provider } = await start()
    await accepted(verify, token())
    provider.document = status(500)
    await accepted(verify, token(pair, { jti: 'b' }), now + 69 * 60_000)
    await unavailable(verify, token(pair, { jti: 'c' }), 'answered 500', now + 70 * 60_000)
  })

  it('E62 is asked anew where its keys are, with the keys', async () => {
    const { verify, token, provider, good, asked, server } = await start()
    await accepted(verify, token())
    provider.document = { ...good, jwks_uri: `${server.url}moved` }
    provider.keys = { keys: [next.jwk()] }
    await accepted(verify, token(next), now + 60_000)
    expect(asked()).toEqual([wellKnown, '/keys', wellKnown, '/moved'])
    await refused(verify, token(pair, { jti: 'b' }), 'token-key', now + 60_000)
  })
})

it('E61 is not asked before a token comes, and keys that are purged are fetched anew', async () => {
  const { issuer, asked } = await start()
  const keys = discover(issuer)
  await nextTurn()
  expect(asked()).toEqual([])
  await keys.find({ alg: 'ES256' }, now)
  keys.purge()
  await keys.find({ alg: 'ES256' }, now)
  expect(asked()).toHaveLength(4)
})

it.each([
  'http://id.example.com',
  'id.example.com',
  '',
  'https://id.example.com?tenant=a',
  'https://id.example.com#a',
  5,
])('E61 does not start with the issuer %j', (issuer) => {
  expect(() => discover(issuer as string)).toThrow(ConfigurationError)
  expect(() => discover('https://id.example.com')).not.toThrow()
})
