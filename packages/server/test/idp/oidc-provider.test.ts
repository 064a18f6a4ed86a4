import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createGuard, createRoutes, header, UnavailableError, type Verifier } from '../../src/index.js'
import { introspection } from '../../src/verifiers/introspection.js'
import { discover, type Fetch, jwks, jwt, logoutToken, oidc } from '../../src/verifiers/tokens.js'
import { altered } from '../support/altered.js'
import { type IdentityProvider, startIdentityProvider } from '../support/identity-provider.js'
import { rawOpen } from '../support/raw.js'
import { startServer } from '../support/server.js'
import { audience, base64url, signingPair } from '../support/tokens.js'
import { accepted, contextAt, refused } from '../support/verification.js'

// The provider lives by the system's clock, so these tests move on from it.
const algorithms = ['RS256', 'ES256', 'EdDSA'] as const
const newKeys = () => algorithms.map((alg) => signingPair(alg, randomUUID()))
const firstKeys = newKeys()
const minute = 60_000

const unavailable = (verify: Verifier, token: string, at: number) =>
  expect(async () => verify(token, contextAt(at))).rejects.toThrow(UnavailableError)

describe('JWTs of a real provider', () => {
  const start = async () => {
    const provider = await startIdentityProvider(firstKeys)
    const keys = jwks(provider.jwksUrl)
    const rules = { algorithms, issuer: provider.issuer, audience, typ: 'at+jwt' }
    return { provider, keys, verify: jwt({ jwks: keys, ...rules }), rules }
  }

  it.each(algorithms)('are accepted when signed with %s', async (alg) => {
    const { provider, verify } = await start()
    const verified = await accepted(verify, await provider.issue(alg), Date.now())
    expect(verified).toMatchObject({
      identity: { id: provider.clientId, issuer: provider.issuer, scopes: ['read', 'write'] },
      session: verified.token,
    })
    expect(verified.expiresAt! - verified.issuedAt!).toBe(7_200_000)
  })

  it('are refused with another audience, issuer, algorithm or kind in mind', async () => {
    const { provider, keys, verify, rules } = await start()
    const token = await provider.issue('RS256')
    const now = Date.now()
    await accepted(verify, token, now)
    const other = 'https://other.example.com'
    await refused(jwt({ jwks: keys, ...rules, audience: other }), token, 'token-audience', now)
    await refused(jwt({ jwks: keys, ...rules, issuer: other }), token, 'token-issuer', now)
    await refused(jwt({ jwks: keys, ...rules, algorithms: ['ES256'] }), token, 'token-algorithm', now)
    await refused(jwt({ jwks: keys, ...rules, typ: 'JWT' }), token, 'token-type', now)
    await refused(jwt({ jwks: keys, ...rules, maxLifetime: 7_199 }), token, 'credential-lifetime', now)
  })

  it('B40 are known by their client, whatever audience they name', async () => {
    const { provider, keys } = await start()
    const { issuer, clientId } = provider
    const token = await provider.issue('ES256')
    const by = (authorizedParties: string) => jwt({ jwks: keys, algorithms, issuer, authorizedParties })
    await accepted(by(clientId), token, Date.now())
    await refused(by('another-client'), token, 'token-audience', Date.now())
  })

  it('B41 are known by a function that knows their issuer', async () => {
    const { provider, keys } = await start()
    const token = await provider.issue('ES256')
    const by = (known: string) => jwt({ jwks: keys, algorithms, issuer: (iss) => iss === known, audience })
    await accepted(by(provider.issuer), token, Date.now())
    await refused(by('https://other.example.com'), token, 'token-issuer', Date.now())
  })

  it('B44 are verified by keys that a fetch of the application brings', async () => {
    const { provider, rules } = await start()
    // As behind a proxy: the address that is configured is not where the provider is.
    const through: Fetch = (url, init) => fetch(url.replace('https://id.example.com', provider.issuer), init)
    const keys = jwks('https://id.example.com/jwks', { fetch: through })
    await accepted(jwt({ jwks: keys, ...rules }), await provider.issue('ES256'), Date.now())
    const nowhere = jwks('https://id.example.com/nothing', { fetch: through })
    await unavailable(jwt({ jwks: nowhere, ...rules }), await provider.issue('ES256'), Date.now())
  })

  it('B38 are good a second after their keys were made', async () => {
    const { provider, verify } = await start()
    const now = Date.now()
    await accepted(verify, await provider.issue('ES256'), now)
    provider.rotate(newKeys())
    await accepted(verify, await provider.issue('ES256'), now + 1_000)
  })

  it('B08 expire', async () => {
    const { provider, verify } = await start()
    const token = await provider.issue('ES256')
    const { expiresAt = 0 } = await accepted(verify, token, Date.now())
    await accepted(verify, token, expiresAt + 4_999)
    await refused(verify, token, 'credential-expired', expiresAt + 5_000)
  })

  it('B29 are refused when they are bound to a key', async () => {
    const { provider, verify } = await start()
    const bound = await provider.issue('ES256', { dpop: dpopProof(provider) })
    await refused(verify, bound, 'token-type', Date.now())
    await accepted(verify, await provider.issue('ES256'), Date.now())
  })

  it('B23 survive a rotation of the keys, and the old ones do not', async () => {
    const { provider, verify } = await start()
    const old = await provider.issue('ES256')
    const now = Date.now()
    await accepted(verify, old, now)
    provider.rotate(newKeys())
    const fresh = await provider.issue('ES256')
    await accepted(verify, old, now + 1)
    await accepted(verify, fresh, now + minute)
    await refused(verify, old, 'token-key', now + minute)
    expect(provider.requests('/jwks')).toBe(2)
  })

  it('B23 are forgotten at once by a purge', async () => {
    const { provider, keys, verify } = await start()
    const old = await provider.issue('RS256')
    const now = Date.now()
    await accepted(verify, old, now)
    provider.rotate(newKeys())
    keys.purge()
    await refused(verify, old, 'token-key', now)
    await accepted(verify, await provider.issue('RS256'), now)
  })

  it('B21 are good while the provider is away, but not for ever', async () => {
    const { provider, verify } = await start()
    const [first, second, third] = [
      await provider.issue('RS256'),
      await provider.issue('ES256'),
      await provider.issue('EdDSA'),
    ]
    const now = Date.now()
    await accepted(verify, first, now)
    await provider.stop()
    await accepted(verify, second, now + 9 * minute)
    await accepted(verify, third, now + 69 * minute)
    await unavailable(verify, first, now + 70 * minute)
    await provider.restart()
    await accepted(verify, first, now + 71 * minute)
    expect(provider.requests('/jwks')).toBe(2)
  })

  it('B20 cannot be known when the provider was never there', async () => {
    const { provider, verify } = await start()
    const token = await provider.issue('RS256')
    await provider.stop()
    const now = Date.now()
    await unavailable(verify, token, now)
    await provider.restart()
    await unavailable(verify, token, now + 999)
    await accepted(verify, token, now + 1_000)
  })
})

describe('JWTs of a real provider that is known by its name', () => {
  const start = async () => {
    const provider = await startIdentityProvider(firstKeys)
    const { issuer } = provider
    return { provider, verify: oidc({ issuer, algorithms, audience, typ: 'at+jwt' }) }
  }

  it.each(algorithms)('are accepted when signed with %s', async (alg) => {
    const { provider, verify } = await start()
    const { identity } = await accepted(verify, await provider.issue(alg), Date.now())
    expect(identity).toMatchObject({ id: provider.clientId, issuer: provider.issuer, scopes: ['read', 'write'] })
    expect(provider.requests('/.well-known/openid-configuration')).toBe(1)
    expect(provider.requests('/jwks')).toBe(1)
  })

  it('E61 are not known by another spelling of its name', async () => {
    const { provider, verify } = await start()
    const token = await provider.issue('ES256')
    await accepted(verify, token, Date.now())
    const issuer = `${provider.issuer}/`
    await unavailable(oidc({ issuer, algorithms, audience }), token, Date.now())
    await refused(oidc({ issuer: provider.issuer, algorithms, audience: issuer }), token, 'token-audience', Date.now())
  })

  it('B23 survive a rotation of the keys, and the old ones do not', async () => {
    const { provider, verify } = await start()
    const old = await provider.issue('ES256')
    const now = Date.now()
    await accepted(verify, old, now)
    provider.rotate(newKeys())
    await accepted(verify, await provider.issue('ES256'), now + minute)
    await refused(verify, old, 'token-key', now + minute)
  })

  it('E62 cannot be known when the provider was never there', async () => {
    const { provider, verify } = await start()
    const token = await provider.issue('RS256')
    await provider.stop()
    const now = Date.now()
    await unavailable(verify, token, now)
    await provider.restart()
    await accepted(verify, token, now + 1_000)
  })
})

describe('opaque tokens of a real provider', () => {
  const start = async () => {
    const provider = await startIdentityProvider(firstKeys)
    const { clientId, clientSecret, issuer } = provider
    const options = { endpoint: provider.introspectionUrl, clientId, clientSecret, issuer, audience }
    return { provider, options, verify: introspection(options) }
  }

  it('are accepted', async () => {
    const { provider, verify } = await start()
    const verified = await accepted(verify, await provider.issue('opaque'), Date.now())
    expect(verified.identity).toMatchObject({
      id: provider.clientId,
      issuer: provider.issuer,
      scopes: ['read', 'write'],
    })
    expect(verified.expiresAt! - verified.issuedAt!).toBe(7_200_000)
  })

  it('B24 are refused when they are unknown, or meant for another audience', async () => {
    const { provider, options, verify } = await start()
    const token = await provider.issue('opaque')
    await accepted(verify, token, Date.now())
    await refused(verify, altered(token, -1), 'credential-unknown', Date.now())
    const elsewhere = introspection({ ...options, audience: 'https://other.example.com' })
    await refused(elsewhere, token, 'token-audience', Date.now())
  })

  it('B45 are asked for on and on, whatever others ask for', async () => {
    const { provider, options } = await start()
    const verify = introspection({ ...options, pattern: /^.+$/s })
    for (let i = 0; i < 20; i++) await refused(verify, `odd\n${i}\0=&;"<`, 'credential-unknown', Date.now())
    await accepted(verify, await provider.issue('opaque'), Date.now())
  })

  it('B40 are known by their client, and asked for by a fetch of the application', async () => {
    const { provider, options } = await start()
    const { audience: _, ...common } = options
    const asked: string[] = []
    const through: Fetch = (url, init) => {
      asked.push(url)
      return fetch(url, init)
    }
    const by = (authorizedParties: string) => introspection({ ...common, authorizedParties, fetch: through })
    const token = await provider.issue('opaque')
    await accepted(by(provider.clientId), token, Date.now())
    await refused(by('another-client'), token, 'token-audience', Date.now())
    expect(asked).toEqual([provider.introspectionUrl, provider.introspectionUrl])
  })

  it('B25 are refused once they are revoked and ten seconds are over', async () => {
    const { provider, verify } = await start()
    const token = await provider.issue('opaque')
    const now = Date.now()
    await accepted(verify, token, now)
    await provider.revoke(token)
    await accepted(verify, token, now + 9_999)
    await refused(verify, token, 'credential-unknown', now + 10_000)
  })

  it('B29 are refused when they are bound to a key', async () => {
    const { provider, verify } = await start()
    const bound = await provider.issue('opaque', { dpop: dpopProof(provider) })
    await refused(verify, bound, 'token-type', Date.now())
    await accepted(verify, await provider.issue('opaque'), Date.now())
  })

  it('B24 cannot be known with a wrong client secret, or while the provider is away', async () => {
    const { provider, options, verify } = await start()
    const token = await provider.issue('opaque')
    const now = Date.now()
    await unavailable(introspection({ ...options, clientSecret: 'wrong' }), token, now)
    await provider.stop()
    await unavailable(verify, token, now)
    await provider.restart()
    await accepted(verify, token, now)
  })
})

describe('a back-channel logout of a real provider', () => {
  it.each<[string, string | undefined]>([
    ['a session that no token names', 'login-1'],
    ['no session', undefined],
  ])('F25 ends what the provider has issued to the user, where it names %s', async (_, session) => {
    const provider = await startIdentityProvider(firstKeys)
    const { issuer, clientId } = provider
    const keys = discover(issuer)
    const robots: Record<string, { id: string }> = { [clientId]: { id: 'robot-7' } }
    const verify = jwt({ jwks: keys, algorithms, issuer, audience, identify: ({ sub = '' }) => robots[sub] })
    const guard = createGuard({ accept: [header({ verify })] })
    const routes = createRoutes(guard, {
      path: '/ws',
      logoutToken: logoutToken({ jwks: keys, algorithms, issuer, audience: clientId }),
    })
    const { port, server } = await startServer(guard)
    server.removeAllListeners('request')
    server.on('request', (request, response) => void routes.node(request, response))
    const headers = { Authorization: `Bearer ${await provider.issue('ES256')}` }
    const { client } = await rawOpen(port, '/ws', headers)
    const uri = `http://127.0.0.1:${port}/ws/backchannel-logout`
    await provider.logOut(uri, 'somebody else', session)
    expect([...guard.connections].map(({ identity }) => identity.id)).toEqual(['robot-7'])
    await provider.logOut(uri, clientId, session)
    expect((await client.closeFrame())?.code).toBe(4010)
    expect(guard.connections.size).toBe(0)
  })
})

/** The proof that binds a token to a fresh key (RFC 9449 section 4.2). */
function dpopProof({ issuer }: IdentityProvider): string {
  const pair = signingPair('ES256')
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: pair.publicKey.export({ format: 'jwk' }) }
  const claims = { jti: randomUUID(), htm: 'POST', htu: `${issuer}/token`, iat: Math.floor(Date.now() / 1000) }
  const input = [header, claims].map((part) => base64url(JSON.stringify(part))).join('.')
  return `${input}.${base64url(pair.sign(input))}`
}
