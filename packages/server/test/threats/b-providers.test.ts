import { randomBytes } from 'node:crypto'
import { ConfigurationError, type Identity, introspection, UnavailableError, type Verifier } from '@sallyport/server'
import { type Fetch, type FetchedResponse, jwks, jwt } from '@sallyport/server/jwt'
import { describe, expect, it, vi } from 'vitest'
import { testClock } from '../support/clock.js'
import { startJsonServer, status } from '../support/json-server.js'
import {
  audience,
  goodClaims,
  hmac,
  hmacSigner,
  issuer,
  now,
  rules,
  secret,
  signingPair,
  tokenBy,
} from '../support/tokens.js'
import { accepted, contextAt, refused } from '../support/verification.js'

const bySecret = { secret, algorithms: ['HS256'] as const }
const token = (claims: Record<string, unknown> = {}) => tokenBy(hmac, { claims })
const detailOf = async (verify: Verifier, text: string) => {
  const answer = await verify(text, contextAt())
  return 'rejected' in answer ? answer.detail : 'accepted'
}
const unavailable = (verify: Verifier, text: string, at = now) =>
  expect(async () => verify(text, contextAt(at))).rejects.toThrow(UnavailableError)

describe('B39 a secret that is a key which others may have', () => {
  const pair = signingPair('RS256')
  const pem = pair.publicKey.export({ format: 'pem', type: 'spki' }).toString()
  const der = pair.publicKey.export({ format: 'der', type: 'spki' })
  const jwk = JSON.stringify(pair.jwk())
  const pkcs1 = pair.publicKey.export({ format: 'pem', type: 'pkcs1' }).toString()

  it.each<[string, string | Uint8Array]>([
    ['PEM', pem],
    ['PEM of PKCS #1', pkcs1],
    ['PEM of a private key', pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()],
    ['PEM of a certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----'],
    ['PEM behind white space', `\n  \t${pem}`],
    ['PEM behind a byte order mark', `\ufeff${pem}`],
    ['PEM behind attributes', `Bag Attributes\n    friendlyName: idp\n${pem}`],
    ['PEM with its line breaks written out', pem.replaceAll('\n', '\\n')],
    ['PEM in base64', Buffer.from(pem).toString('base64')],
    ['PEM as bytes', Buffer.from(pem)],
    ['PEM as an array of bytes', new Uint8Array(Buffer.from(pem))],
    ['JWK', jwk],
    ['JWK behind white space', `\n ${jwk}`],
    ['JWK behind a byte order mark', `\ufeff${jwk}`],
    ['JWK that is indented', JSON.stringify(pair.jwk(), null, 2)],
    ['JWK of a secret', JSON.stringify({ kty: 'oct', k: randomBytes(32).toString('base64url') })],
    ['JWK as bytes', Buffer.from(jwk)],
    ['JWK in base64url', Buffer.from(jwk).toString('base64url')],
    ['a key set', JSON.stringify({ keys: [pair.jwk()] })],
    ['DER', der],
    ['DER in base64', der.toString('base64')],
  ])('B39 is refused at start: %s', async (_, key) => {
    for (const secrets of [key, [secret, key]]) {
      expect(() => jwt({ ...rules, algorithms: ['HS256'], secret: secrets })).toThrow(ConfigurationError)
      expect(() => jwt({ ...rules, algorithms: ['HS256'], secret: secrets })).toThrow('Give a public key as publicKey')
    }
    // Whoever knows the text could sign with it.
    expect(tokenBy(hmacSigner(key))).toBeTypeOf('string')
  })

  it('B39 is told apart from secrets, whatever they look like', async () => {
    const secrets = [
      randomBytes(32),
      randomBytes(32).toString('base64'),
      randomBytes(64).toString('hex'),
      '{"not":"a key, but a sentence of enough length"}',
      'BEGIN with a sentence that is long enough for HS256',
      JSON.stringify('a sentence of enough length in quotes'),
    ]
    for (const one of secrets) {
      await accepted(jwt({ ...rules, algorithms: ['HS256'], secret: one }), tokenBy(hmacSigner(one)))
    }
  })
})

describe('B40 tokens for clients of ours, from issuers that name no audience', () => {
  const parties = { ...bySecret, issuer, authorizedParties: ['https://app.example.com', 'chat'] }

  it.each<[string, Record<string, unknown>]>([
    ['azp, as Clerk names the page', { azp: 'https://app.example.com', aud: undefined }],
    ['client_id, as Cognito names the client', { client_id: 'chat', aud: undefined, token_use: 'access' }],
    ['azp beside another audience, as Keycloak does', { azp: 'chat', aud: 'account', typ: 'Bearer' }],
    ['both', { azp: 'chat', client_id: 'chat', aud: undefined }],
  ])('B40 are good by %s', async (_, claims) => {
    await accepted(jwt(parties), token(claims))
    await refused(jwt({ ...bySecret, ...rules }), token(claims), 'token-audience')
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['another azp', { azp: 'https://evil.example' }, 'azp is "https://evil.example"'],
    ['another client_id', { client_id: 'other' }, 'client_id is "other"'],
    [
      'a client of ours by one claim, another by the other',
      { azp: 'chat', client_id: 'other' },
      'client_id is "other"',
    ],
    ['another by the first', { azp: 'other', client_id: 'chat' }, 'azp is "other"'],
    ['neither, though our name is in aud', { aud: 'chat' }, 'azp or client_id is missing'],
    ['a list', { azp: ['chat'] }, 'azp is ["chat"]'],
    ['nothing', { azp: null }, 'azp is null'],
    ['a part of the name', { azp: 'cha' }, 'azp is "cha"'],
    ['another case', { azp: 'Chat' }, 'azp is "Chat"'],
  ])('B40 are refused with %s', async (_, claims, detail) => {
    const verify = jwt(parties)
    await refused(verify, token(claims), 'token-audience')
    expect(await detailOf(verify, token(claims))).toBe(`${detail}, expected "https://app.example.com" or "chat"`)
    await accepted(verify, token({ azp: 'chat' }))
  })

  it.each<[string, object]>([
    ['neither', {}],
    ['both', { audience, authorizedParties: ['chat'] }],
    ['an empty list', { authorizedParties: [] }],
    ['an empty name', { authorizedParties: [''] }],
    ['an empty audience', { audience: [] }],
  ])('B40 need a name for whom they are: not %s', (_, recipient) => {
    const options = { ...bySecret, issuer, ...recipient } as never
    const asked = { endpoint: 'https://id.example.com/', clientId: 'chat', clientSecret: 's', issuer, ...recipient }
    expect(() => jwt(options)).toThrow(ConfigurationError)
    expect(() => introspection(asked as never)).toThrow(ConfigurationError)
    expect(() => jwt({ ...bySecret, issuer, authorizedParties: 'chat' })).not.toThrow()
  })

  it('B40 are asked for as well', async () => {
    const server = await startJsonServer({ active: true, ...goodClaims({ aud: undefined, client_id: 'chat' }) })
    const common = { endpoint: server.url, clientId: 'api', clientSecret: 's', issuer }
    await accepted(introspection({ ...common, authorizedParties: 'chat' }), 'opaque')
    await refused(introspection({ ...common, authorizedParties: 'other' }), 'opaque', 'token-audience')
    await refused(introspection({ ...common, audience }), 'opaque', 'token-audience')
  })
})

describe('B41 an issuer for each tenant', () => {
  const of = (tenant: string) => `https://login.example.com/${tenant}/v2.0`

  it('B41 is one of a list', async () => {
    const verify = jwt({ ...bySecret, audience, issuer: [of('ada'), of('bob')] })
    for (const tenant of ['ada', 'bob']) {
      expect((await accepted(verify, token({ iss: of(tenant) }))).identity.issuer).toBe(of(tenant))
    }
    await refused(verify, token({ iss: of('eve') }), 'token-issuer')
  })

  it('B41 is known to a function, whose word counts for remembered tokens too', async () => {
    const tenants = new Set(['ada', 'bob'].map(of))
    const asked = vi.fn((iss: string) => tenants.has(iss))
    const verify = jwt({ ...bySecret, audience, issuer: asked })
    const [ada, bob] = [token({ iss: of('ada') }), token({ iss: of('bob') })]
    expect((await accepted(verify, ada)).identity.issuer).toBe(of('ada'))
    await accepted(verify, ada)
    tenants.delete(of('ada'))
    await refused(verify, ada, 'token-issuer')
    expect(await detailOf(verify, ada)).toBe(`iss is "${of('ada')}", which issuer does not accept`)
    await accepted(verify, bob)
  })

  it('B41 is not asked for before the signature is good', async () => {
    const asked = vi.fn(() => true)
    const verify = jwt({ ...bySecret, audience, issuer: asked })
    await refused(verify, tokenBy(hmacSigner('another secret of at least 32 bytes')), 'token-signature')
    expect(asked).not.toHaveBeenCalled()
    await accepted(verify, token())
    expect(asked).toHaveBeenCalledWith(issuer)
  })

  it.each([
    ['nothing', undefined],
    ['a number', 5],
    ['a list', [issuer]],
    ['an empty text', ''],
    ['a control character', 'https://id\n'],
    ['an endless text', 'x'.repeat(256)],
  ])('B41 is a name, and no function is asked about %s', async (_, iss) => {
    const asked = vi.fn(() => true)
    const verify = jwt({ ...bySecret, audience, issuer: asked })
    await refused(verify, token({ iss }), 'token-issuer')
    expect(asked).not.toHaveBeenCalled()
    await accepted(verify, token())
  })

  it.each([
    ['1', 1],
    ['text', 'no'],
    ['a promise', Promise.resolve(true)],
    ['nothing', undefined],
  ])('B41 is accepted by true and nothing else: not by %s', async (_, answer) => {
    await refused(jwt({ ...bySecret, audience, issuer: (() => answer) as never }), token(), 'token-issuer')
    await accepted(jwt({ ...bySecret, audience, issuer: () => true }), token())
  })

  it('B41 fails as a bug when the function throws', async () => {
    const fail = () => {
      throw new TypeError('no tenants')
    }
    expect(() => jwt({ ...bySecret, audience, issuer: fail })(token(), contextAt())).toThrow('no tenants')
  })

  it('B41 is named by the answer of an introspection where there are several', async () => {
    const server = await startJsonServer({ active: true, ...goodClaims({ iss: undefined }) })
    const common = { endpoint: server.url, clientId: 'api', clientSecret: 's', audience, maxAge: 0 }
    await accepted(introspection({ ...common, issuer }), 'opaque')
    for (const several of [[issuer, of('ada')], (iss: string) => iss === issuer]) {
      const verify = introspection({ ...common, issuer: several })
      server.answer = { active: true, ...goodClaims({ iss: undefined }) }
      await refused(verify, 'opaque', 'token-issuer')
      server.answer = { active: true, ...goodClaims() }
      await accepted(verify, 'opaque')
    }
  })
})

describe('B42 a subject that is a number', () => {
  const identify = ({ sub }: { readonly sub?: string }): Identity | undefined =>
    sub === undefined ? undefined : { id: sub, issuer: 'numbers' }

  it('B42 is somebody where identify says so', async () => {
    const verified = await accepted(jwt({ ...bySecret, ...rules, identify }), token({ sub: 42 }))
    expect(verified.identity).toEqual({ id: '42', issuer: 'numbers' })
    // By which name a logout token means it.
    expect(verified.subject).toEqual({ id: '42', issuer: rules.issuer })
  })

  it('B42 is nobody by itself, and the event says what to do', async () => {
    const verify = jwt({ ...bySecret, ...rules })
    await refused(verify, token({ sub: 42 }), 'token-claims')
    expect(await detailOf(verify, token({ sub: 42 }))).toBe('sub is a number; let identify make an identity of it')
    expect((await accepted(verify, token({ sub: '42' }))).identity.id).toBe('42')
  })

  it.each([1.5, 2 ** 53, -(2 ** 53), true, null, [42], { id: 42 }])('B42 is none of %j', async (sub) => {
    await refused(jwt({ ...bySecret, ...rules, identify }), token({ sub }), 'token-claims')
    await accepted(jwt({ ...bySecret, ...rules, identify }), token({ sub: 2 ** 53 - 1 }))
  })

  it('B42 is somebody at an introspection too', async () => {
    const server = await startJsonServer({ active: true, ...goodClaims({ sub: 42 }) })
    const options = { endpoint: server.url, clientId: 'api', clientSecret: 's', ...rules }
    expect((await accepted(introspection({ ...options, identify }), 'opaque')).identity.id).toBe('42')
    await refused(introspection(options), 'opaque', 'token-claims')
  })
})

describe('B43 an address without TLS', () => {
  const common = { clientId: 'api', clientSecret: 's', ...rules }

  it.each(['http://keycloak:8080/realms/x/protocol/openid-connect/certs', 'http://10.0.0.7/jwks'])(
    'B43 is used when it is allowed out loud, and not before: %s',
    (url) => {
      expect(() => jwks(url)).toThrow('dangerouslyAllowHttp')
      expect(() => jwt({ ...rules, jwks: url, algorithms: ['RS256'] })).toThrow(ConfigurationError)
      expect(() => introspection({ ...common, endpoint: url })).toThrow('dangerouslyAllowHttp')
      expect(() => jwks(url, { dangerouslyAllowHttp: true })).not.toThrow()
      expect(() => introspection({ ...common, endpoint: url, dangerouslyAllowHttp: true })).not.toThrow()
    },
  )

  it.each([
    'ftp://keycloak/jwks',
    'file:///jwks.json',
    'data:application/json,{}',
    'http://user:pass@keycloak/',
    'jwks',
  ])('B43 opens nothing else: %s', (url) => {
    expect(() => jwks(url, { dangerouslyAllowHttp: true })).toThrow(ConfigurationError)
    expect(() => introspection({ ...common, endpoint: url, dangerouslyAllowHttp: true })).toThrow(ConfigurationError)
  })
})

describe('B44 a fetch of the application', () => {
  const pair = signingPair('ES256', 'key-1')
  const byPair = { algorithms: ['ES256'] as const, ...rules }
  const good = tokenBy(pair)

  it('B44 asks in place of that of the runtime, for keys and for tokens', async () => {
    const server = await startJsonServer({ keys: [pair.jwk()] })
    const through = vi.fn<Fetch>((_, init) => fetch(server.url, init))
    const url = 'https://id.example.com/jwks'
    await accepted(jwt({ ...byPair, jwks: jwks(url, { fetch: through }) }), good)
    server.answer = { active: true, ...goodClaims() }
    const endpoint = 'https://id.example.com/introspect'
    const asked = introspection({ endpoint, clientId: 'api', clientSecret: 's', ...rules, fetch: through })
    await accepted(asked, 'opaque')
    expect(through.mock.calls.map(([address, { method, redirect }]) => [address, method, redirect])).toEqual([
      [url, undefined, 'manual'],
      [endpoint, 'POST', 'manual'],
    ])
    expect(server.received[1]).toMatchObject({
      body: 'token=opaque&token_type_hint=access_token',
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Basic ${btoa('api:s')}` },
    })
  })

  const text = JSON.stringify({ keys: [pair.jwk()] })
  const never = new Promise<never>(() => {})
  const answer = (read: () => Promise<{ done: boolean; value?: Uint8Array }>): FetchedResponse => ({
    status: 200,
    redirected: false,
    body: { getReader: () => ({ read, cancel: async () => {} }) },
  })

  it.each<[string, Fetch]>([
    ['never answers', () => never],
    ['never sends its body', async () => answer(() => never)],
  ])('B44 has the time that ours has, though it looks at no signal: one that %s', async (_, slow) => {
    const clock = testClock(now)
    const verify = jwt({ ...byPair, jwks: jwks('https://id.example.com/', { fetch: slow, clock, timeout: 2_000 }) })
    const answered = unavailable(verify, good)
    clock.advance(1_999)
    expect(clock.pending).toBe(1)
    clock.advance(1)
    await answered
    expect(clock.pending).toBe(0)
  })

  it('B44 is told when its time is over', async () => {
    const clock = testClock(now)
    let signal: AbortSignal | undefined
    const slow: Fetch = (_, init) => {
      signal = init.signal
      return never
    }
    const answered = unavailable(
      jwt({ ...byPair, jwks: jwks('https://id.example.com/', { fetch: slow, clock }) }),
      good,
    )
    expect(signal?.aborted).toBe(false)
    clock.advance(3_000)
    await answered
    expect(signal?.aborted).toBe(true)
  })

  it('B44 is read to the size that ours is read to', async () => {
    let reads = 0
    const endless: Fetch = async () =>
      answer(async () => {
        reads += 1
        return { done: false, value: new Uint8Array(65_536) }
      })
    await unavailable(jwt({ ...byPair, jwks: jwks('https://id.example.com/', { fetch: endless }) }), good)
    expect(reads).toBe(9)
  })

  it('B44 is read no further where it gives something else than bytes', async () => {
    let reads = 0
    const texts: Fetch = async () => answer(async () => ({ done: ++reads > 20, value: 'text' as never }))
    await unavailable(jwt({ ...byPair, jwks: jwks('https://id.example.com/', { fetch: texts }) }), good)
    expect(reads).toBe(1)
  })

  it.each<[string, Fetch]>([
    [
      'throws',
      () => {
        throw new Error('proxy')
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('proxy')
      },
    ],
    ['answers nothing', (async () => undefined) as never],
    ['has followed a redirect', async () => ({ status: 200, redirected: true, body: new Response(text).body })],
    ['answers 302', async () => new Response(null, { status: 302, headers: { location: 'https://evil.example' } })],
    ['has no body', async () => new Response(null)],
    [
      'breaks off',
      async () =>
        answer(async () => {
          throw new Error('reset')
        }),
    ],
  ])('B44 that %s leaves it unknown, and ends nothing', async (_, broken) => {
    await unavailable(jwt({ ...byPair, jwks: jwks('https://id.example.com/', { fetch: broken }) }), good)
    const whole: Fetch = async () => new Response(text)
    await accepted(jwt({ ...byPair, jwks: jwks('https://id.example.com/', { fetch: whole }) }), good)
  })
})

describe('B45 an issuer that does not like a token', () => {
  async function start() {
    const server = await startJsonServer({ active: true, ...goodClaims() })
    const verify = introspection({ endpoint: server.url, clientId: 'api', clientSecret: 's', ...rules })
    return { server, verify }
  }

  it.each([400, 406, 413, 415, 422, 431])('B45 and says %i asks on for everybody else', async (code) => {
    const { server, verify } = await start()
    server.answer = status(code)
    for (let i = 0; i < 20; i++) {
      await refused(verify, `odd-${i}`, 'credential-unknown')
      expect(await detailOf(verify, `odd-${i}`)).toBe(`the issuer answered ${code}`)
    }
    expect(server.received).toHaveLength(20)
    server.answer = { active: true, ...goodClaims() }
    await accepted(verify, 'good')
  })

  it.each([401, 403, 404, 405])('B45 and says %i of us does not know, and is asked on', async (code) => {
    const { server, verify } = await start()
    server.answer = status(code)
    for (let i = 0; i < 20; i++) await unavailable(verify, `token-${i}`)
    expect(server.received).toHaveLength(20)
    server.answer = { active: true, ...goodClaims() }
    await accepted(verify, 'token-0')
  })

  it.each([408, 429, 500, 502, 503, 302, 201])('B45 and says %i is left alone for a while', async (code) => {
    const { server, verify } = await start()
    server.answer = status(code)
    for (let i = 0; i < 20; i++) await unavailable(verify, `token-${i}`)
    expect(server.received).toHaveLength(5)
    server.answer = { active: true, ...goodClaims() }
    await unavailable(verify, 'good', now + 4_999)
    await accepted(verify, 'good', now + 5_000)
  })
})

describe('B46 a PEM from an environment variable', () => {
  const pair = signingPair('ES256')
  const pem = pair.publicKey.export({ format: 'pem', type: 'spki' }).toString()

  it.each([
    ['as it is', pem],
    ['with its line breaks written out', pem.replaceAll('\n', '\\n')],
    ['with those of Windows written out', pem.replaceAll('\n', '\\r\\n')],
    ['with those of Windows', pem.replaceAll('\n', '\r\n')],
  ])('B46 is read %s', async (_, publicKey) => {
    const verify = jwt({ publicKey, algorithms: ['ES256'], ...rules })
    await accepted(verify, tokenBy(pair))
    await refused(verify, tokenBy(signingPair('ES256')), 'token-signature')
  })

  it('B46 is no way for a private key', () => {
    const hidden = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
    for (const publicKey of [hidden.replaceAll('\n', '\\n'), hidden.replace('PRIVATE KEY', 'PRIVATE\\r KEY')]) {
      expect(() => jwt({ publicKey, algorithms: ['ES256'], ...rules })).toThrow(ConfigurationError)
    }
  })
})
