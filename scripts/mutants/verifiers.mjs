// What verifies credentials, and what asks issuers about them.
const jwt = [
  'unit/verifiers/jwt.test.ts',
  'threats/b-claims.test.ts',
  'threats/b-spelling.test.ts',
  'threats/b-cache.test.ts',
]
const signature = ['threats/b-signature.test.ts', 'unit/verifiers/jwt.test.ts', 'threats/b-spelling.test.ts']
const jwks = ['threats/b-jwks.test.ts', 'unit/verifiers/jwks.test.ts']
const introspection = ['unit/verifiers/introspection.test.ts', 'threats/b-introspection.test.ts']
const logout = ['unit/verifiers/logout-token.test.ts', 'threats/f-logout-token.test.ts']
const settings = ['unit/verifiers/jwt.test.ts', 'unit/verifiers/jwks.test.ts', 'unit/verifiers/introspection.test.ts']

const of = (file, tests, list) =>
  list.map(([find, replace, why, survives]) => ({
    file: `verifiers/${file}`,
    find,
    replace,
    tests,
    why,
    ...(survives && { survives }),
  }))

export default [
  ...of('jwt.ts', jwt, [
    ["if (!isCompactJws(text)) return 'credential-unreadable'", '', 'a token in a second spelling'],
    ["if (!types.includes(header.typ)) return 'token-type'", '', 'a token of another type'],
    ["if (issuedAt > now + leeway) return 'credential-not-yet-valid'", '', 'a token issued in the future'],
    ["if (expiresAt - issuedAt > maxLifetime) return 'credential-lifetime'", '', 'a token that lives for years'],
    ["if (credential.length > maxLength) return rejected('credential-unreadable')", '', 'a token of any length'],
    ["requiredClaims: ['exp', 'iat']", "requiredClaims: ['iat']", 'a token without an end'],
    ["requiredClaims: ['exp', 'iat']", "requiredClaims: ['exp']", 'a token that does not say when it was issued'],
    ["issuer: checkedStrings('jwt', 'issuer', options.issuer),", '', 'a token of any issuer'],
    ["audience: checkedStrings('jwt', 'audience', options.audience),", '', 'a token for any audience'],
  ]),
  ...of('jws.ts', signature, [
    [
      "if (typeof alg !== 'string' || !algorithms.includes(alg)) return 'token-algorithm'",
      '',
      'the token chooses how it is verified',
    ],
    ['crit !== undefined ||', '', 'a critical extension that we do not know'],
  ]),
  ...of(
    'claims.ts',
    [
      'threats/b-claims.test.ts',
      'unit/verifiers/jwt.test.ts',
      'threats/b-cache.test.ts',
      'threats/f-logout-token.test.ts',
    ],
    [
      ['[sub, jti, sid].every(isOptionalText) &&', '', 'an id that is no text'],
      ['cnf !== undefined ||', '', 'a token that is bound to a key, without its proof'],
      ['|| isAnotherKind(claims, typ)', '', 'an ID token as an access token'],
      [
        '[at_hash, c_hash, events].some((claim) => claim !== undefined)',
        'false',
        'an ID token or logout token by its claims',
      ],
      ['nonce !== undefined && !saysAccess', 'false', 'an ID token with a nonce'],
      [
        "identity ? { ...facts, identity } : rejected('credential-unknown')",
        '{ ...facts, identity }',
        'somebody whom the application does not know',
      ],
      ["if (sub === undefined || iss === undefined) return rejected('token-claims')", '', 'a token of nobody'],
      ['    Object.freeze(object)\n', '', 'claims that one handler changes for the next'],
    ],
  ),
  ...of(
    'shape.ts',
    ['threats/b-spelling.test.ts', 'threats/b-signature.test.ts'],
    [
      [
        "Buffer.from(part, 'base64url').toString('base64url') === part",
        'true',
        'a second spelling of the last character',
      ],
    ],
  ),
  ...of('keys.ts', signature, [
    ['bytes.length * 8 < bits', 'false', 'a secret that can be guessed'],
    ["key.includes('PRIVATE KEY') ? undefined :", '', 'a private key in the place of the public one'],
  ]),
  ...of('keys.ts', [...jwks, ...signature], []),
  ...of('key-options.ts', settings, [
    [
      'if (checked.every((algorithm) => allowed.some((name) => name === algorithm))) return checked',
      'return checked',
      'a public key as an HMAC secret',
    ],
  ]),
  ...of('settings.ts', settings, [
    [
      "strings.length > 0 && strings.every((item) => typeof item === 'string' && item !== '')",
      'true',
      'an issuer or audience that was never set',
    ],
    [
      "(url.protocol === 'http:' && isLoopback(url.hostname))",
      "url.protocol === 'http:'",
      'secrets and keys without encryption',
    ],
  ]),
  ...of('jwks.ts', jwks, [
    ['keys.filter(isPublicKey)', 'keys', 'a key set with secrets in it'],
    ['if (now - attemptedAt < cooldown) return Promise.resolve()', '', 'a fetch for each unknown key'],
    ['if (!current || !isYounger(now, lastUse))', 'if (!current)', 'keys that are older than they may be'],
    ['foundNow.keys.length === 0 && failure', 'false', 'an unknown key while the server is down is a forgery'],
    ['if (!isYounger(now, maxAge)) await refresh(now)', 'if (!current) await refresh(now)', 'a removed key for ever'],
  ]),
  ...of('introspection.ts', introspection, [
    ['if (isAnswer(answer)) return answer', 'return answer', 'an answer that is none'],
    ["if (!answer.active) return 'credential-unknown'", '', 'a token that was revoked'],
    ["if (iss !== issuer) return 'token-issuer'", '', 'a token of another issuer'],
    [
      "if (![aud].flat().some((name) => name !== undefined && audience.includes(name))) return 'token-audience'",
      '',
      'a token for somebody else',
    ],
    [
      "if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') return 'token-type'",
      '',
      'a token that is no bearer token',
    ],
    ["if (end(token) <= now) return 'credential-expired'", '', 'a token beyond its end'],
    ["nbf * 1000 > now + leeway ? 'credential-not-yet-valid' : token", 'token', 'a token before its time'],
    ['Math.min(now + maxAge, end(result))', 'now + maxAge', 'a remembered token beyond its end'],
  ]),
  ...of('breaker.ts', introspection, []),
  ...of(
    'cache.ts',
    ['unit/verifiers/cache.test.ts', 'threats/b-cache.test.ts'],
    [['!entry || now < entry.until', 'true', 'what is remembered never ends']],
  ),
  ...of(
    'fetch-json.ts',
    [...introspection, ...jwks],
    [["redirect: 'manual'", "redirect: 'follow'", 'a redirect takes the token elsewhere']],
  ),
  ...of('in-time.ts', ['unit/in-time.test.ts'], [['      reject(error)\n', '', 'a verifier that never answers']]),
  ...of(
    'session.ts',
    ['unit/verifiers/session.test.ts', 'threats/b-session.test.ts'],
    [
      ['expiresAt !== undefined && expiresAt <= context.now', 'false', 'a session that has ended'],
      ['found.session ?? hash(value)', 'found.session ?? value', 'the credential is the name of the session'],
    ],
  ),
  ...of('logout-token.ts', logout, [
    ['token.length > maxLength ||', '', 'a logout token of any length'],
    ['|| !isCompactJws(token)', '', 'a logout token in a second spelling'],
    ["if (![undefined, 'jwt', 'logout+jwt'].includes(header.typ)) return 'token-type'", '', 'a token of another type'],
    ["if (logout.at > now + leeway * 1000) return 'credential-not-yet-valid'", '', 'a logout in the future'],
    ["if (seen.get(name, now)) return 'credential-revoked'", '', 'a logout token that is good twice'],
    ['nonce !== undefined ||', '', 'an ID token ends sessions'],
    ['!isObject(events) || !isObject(events[logoutEvent])', 'false', 'a token of no logout ends sessions'],
    ["requiredClaims: ['iat', 'exp', 'jti']", 'requiredClaims: []', 'a logout token without an end'],
    ["issuer: checkedStrings('logoutToken', 'issuer', options.issuer),", '', 'a logout token of any issuer'],
    ["audience: checkedStrings('logoutToken', 'audience', options.audience),", '', 'a logout token for any client'],
  ]),
]
