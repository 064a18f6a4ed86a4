// Whose a credential is.
import { mutantsOf } from '../mutants-of.mjs'

const jwt = [
  'threats/f-lifetimes.test.ts',
  'unit/verifiers/jwt.test.ts',
  'threats/b-claims.test.ts',
  'threats/b-spelling.test.ts',
  'threats/b-cache.test.ts',
]
const signature = ['threats/b-signature.test.ts', 'unit/verifiers/jwt.test.ts', 'threats/b-spelling.test.ts']
const providers = ['threats/b-providers.test.ts']
const jwks = ['threats/b-jwks.test.ts', 'unit/verifiers/jwks.test.ts']
const introspection = ['unit/verifiers/introspection.test.ts', 'threats/b-introspection.test.ts']
const logout = ['unit/verifiers/logout-token.test.ts', 'threats/f-logout-token.test.ts']
const answers = ['threats/b-answers.test.ts']
const settings = ['unit/verifiers/jwt.test.ts', 'unit/verifiers/jwks.test.ts', 'unit/verifiers/introspection.test.ts']
const of = mutantsOf('verifiers/')

export default [
  ...of('answer.ts', answers, [
    [
      "typeof answer !== 'object' || answer === null) {\n    throw new TypeError(`a verifier",
      'false) {\n    throw new TypeError(`a verifier',
      'nothing is an answer',
    ],
    ["  if (!isName(id)) throw wrong('identity.id', id, 'a string that is not empty')\n", '', 'who has no id'],
    ["  checkName('identity.issuer', issuer)\n", '', 'an issuer that no revocation can name'],
    ["  checkName('identity.tenant', tenant)\n", '', 'a tenant that no revocation can name'],
    [
      "  checkName('session', session)\n  checkName('token'",
      "  checkName('token'",
      'a session that no revocation can name',
    ],
    ["  checkName('token', token)\n", '', 'a token that no revocation can name'],
    ["  checkTime('expiresAt', expiresAt)\n", '', 'a credential whose end is NaN never ends'],
    ["  checkTime('issuedAt', issuedAt)\n", '', 'a credential that no revocation is later than'],
    ["  checkTime('lookedUpAt', lookedUpAt)\n", '', 'a credential that was looked up at no time'],
    ['if (isVerificationFailure(answer.rejected)) return answer', 'return answer', 'a reason that has no code'],
    ['(session ?? user) === undefined', 'false', 'a logout of nobody is answered 200'],
    ["  checkTime('at', at)\n", '', 'a logout at no time'],
  ]),
  ...of('jwt.ts', jwt, [
    ["[undefined, 'jwt', 'at+jwt']", "[undefined, 'jwt', 'at+jwt', 'logout+jwt']", 'a token of another type'],
    ["if (issuedAt > now + leeway) return tooEarly('iat', issuedAt, now, leeway)", '', 'a token issued in the future'],
    ['lifetime > maxLifetime', 'false', 'a token that lives for years'],
    [
      "threeParts.test(credential) ? undefined : rejected('credential-unreadable')",
      'undefined',
      'a megabyte that is no token is hashed',
      'Equivalent but for time: what has not three parts is refused a little later all the same.',
    ],
    ["required: ['exp', 'iat']", "required: ['iat']", 'a token without an end'],
    ["required: ['exp', 'iat']", "required: ['exp']", 'a token that does not say when it was issued'],
    ['issuedAt > now ? Object', 'issuedAt > expiresAt ? Object', 'a token by a clock that is ahead survives'],
    [
      '{ token: seen, edition }, expiresAt + leeway',
      '{ token: seen, edition }, Number.POSITIVE_INFINITY',
      'a remembered token beyond its end',
    ],
  ]),
  ...of('jwt.ts', jwks, [
    ['!remembered || remembered.edition !== keys.edition(now)', '!known', 'a remembered token whose key was removed'],
  ]),
  ...of('jws.ts', signature, [
    ['more !== undefined ||', '', 'a token with more behind it'],
    ['if (text === last?.text) return', 'if (last) return', 'a token by the header of the one before'],
    ["bytes.toString('base64url') === part", 'true', 'a second spelling of the last character'],
    ["typeof alg !== 'string' || !rules.algorithms.includes(alg)", 'false', 'the token chooses how it is verified'],
    [
      "if (kid !== undefined && typeof kid !== 'string') return rejected('token-key')",
      '',
      'a name of a key that is no text',
    ],
    ['crit !== undefined ||', '', 'a critical extension that we do not know'],
    ['b64 !== undefined ||', '', 'a payload that is spelled otherwise'],
    [
      "if (!keys.some((key) => verify(key, signed, signature))) return rejected('token-signature')",
      '',
      'any signature',
    ],
  ]),
  ...of('jws.ts', jwt, [
    ['rules.types.includes(type) ?', 'true ?', 'a token of any type'],
    ['{ fatal: true }', '{}', 'a payload whose bytes are no text'],
    ['isObject(value) ? value : undefined', 'value', 'claims that are no object'],
    ['checkClaims(claims, rules, now) ??', '', 'a token of any issuer, for anybody, at any time'],
  ]),
  ...of('algorithms.ts', signature, [
    ['bytes * 8 >= bits', 'true', 'a secret that can be guessed'],
    ['&& timingSafeEqual(signature, expected)', '', 'any HMAC of the right size'],
    ['signature.length === expected.length &&', '', 'an HMAC of another size is a failure of ours'],
    ["type === 'rsa' &&", '', 'an RSA key for PSS alone serves PKCS #1'],
    ['&& modulusLength >= 2048', '', 'an RSA key that can be broken'],
    ['constants.RSA_PSS_SALTLEN_DIGEST', 'constants.RSA_PSS_SALTLEN_AUTO', 'a signature with a salt of any length'],
    ['namedCurve === curve', 'true', 'a key on another curve'],
    ["type === 'ed25519'", 'true', 'a key of any kind for EdDSA'],
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
      ['if (!isKnownIssuer(iss, issuer))', 'if (false)', 'a token of any issuer'],
      ["if (wrong) return rejected('token-audience', wrong)", '', 'a token for any audience'],
      ['if (missing !== undefined)', 'if (false)', 'a token without an end'],
      [
        "![exp, nbf, iat].every((date) => date === undefined || typeof date === 'number')",
        'false',
        'a date that is no number',
      ],
      ['nbf !== undefined && milliseconds(nbf) > now + leeway', 'false', 'a token before its time'],
      ['exp !== undefined && milliseconds(exp) + leeway <= now', 'false', 'a token beyond its end'],
      ['&& [exp, iat, nbf].every(isOptionalDate)', '', 'a date that no clock can show'],
      ['[subject, jti, sid].every(isOptionalText) &&', '', 'an id that is no text'],
      ['if (cnf !== undefined)', 'if (false)', 'a token that is bound to a key, without its proof'],
      ['if (kind) return', 'if (false) return', 'an ID token as an access token'],
      ['if (telling) return telling', '', 'an ID token or logout token by its claims'],
      ['nonce !== undefined && !saysAccess', 'false', 'an ID token with a nonce'],
      [
        'sub === undefined ? undefined : { id: sub, issuer: token.identity.issuer }',
        'subject: undefined',
        'who is called otherwise stays',
      ],
      ["if (!identity) return rejected('credential-unknown')", '', 'somebody whom the application does not know'],
      ["namesSomebody(token) ? token : rejected('token-claims', nobody(claims))", 'token', 'a token of nobody'],
      ['    Object.freeze(object)\n', '', 'claims that one handler changes for the next'],
    ],
  ),
  ...of('parties.ts', providers, [
    ['isText(iss) && issuer(iss)', 'issuer(iss as string)', 'an issuer that is no name'],
    ['issuer(iss) === true', 'Boolean(issuer(iss))', 'whatever a function answers makes an issuer known'],
    ["by === 'audience'", 'false', 'the client of a token in the place of its audience'],
    ['if (azp !== undefined && !isOurs(azp))', 'if (false)', "a token for somebody else's client"],
    [
      'if (client !== undefined && !isOurs(client))',
      'if (false)',
      "a token for somebody else's client, as Cognito names it",
    ],
    ['azp === undefined && client === undefined ?', 'false ?', 'a token for no client'],
    ['if ((audience === undefined) === (authorizedParties === undefined))', 'if (false)', 'tokens for anybody'],
  ]),
  ...of('claims.ts', providers, [
    [
      'id: isNumber ? undefined : sub,',
      'id: sub === undefined ? undefined : `${sub}`,',
      'a number is taken for the text that looks like it',
    ],
    ['Number.isSafeInteger(sub) ?', "typeof sub === 'number' ?", 'two numbers that look like one'],
  ]),
  ...of('jwt.ts', providers, [
    [
      'isKnownIssuer(token.identity.issuer, issuer) ?',
      'true ?',
      'a tenant that is none any more, as long as it is remembered',
    ],
  ]),
  ...of('introspection.ts', providers, [
    [
      'if (error instanceof StatusError && isAnswered(error.status)) return error',
      '',
      'odd tokens of one keep the issuer from all',
    ],
    ['if (aboutUs.includes(answer.status)) throw answer', '', 'a wrong secret of ours refuses everybody as unknown'],
    ['&& !aboutLoad.includes(status)', '', 'an issuer that is too busy is asked on'],
    [
      "typeof issuer !== 'function' && issuer.length === 1 ?",
      "typeof issuer !== 'function' ?",
      'the first issuer in the place of the one that is not named',
    ],
  ]),
  ...of('settings.ts', settings, [
    [
      "strings.length > 0 && strings.every((item) => typeof item === 'string' && item !== '')",
      'true',
      'an issuer or audience that was never set',
    ],
    ['(allowHttp || isLoopback(url.hostname))', 'true', 'secrets and keys without encryption'],
  ]),
  ...of('introspection.ts', introspection, [
    ['if (isAnswer(answer)) return answer', 'return answer', 'an answer that is none'],
    ["if (!answer.active) return rejected('credential-unknown')", '', 'a token that was revoked'],
    ['if (failure) return failure', '', 'a token of another issuer, for somebody else, or beyond its end'],
    ["typeof type !== 'string' || type.toLowerCase() !== 'bearer'", 'false', 'a token that is no bearer token'],
    ['Math.min(now + maxAge, end(result))', 'now + maxAge', 'a remembered token beyond its end'],
  ]),
  ...of(
    'cache.ts',
    ['unit/verifiers/cache.test.ts', 'threats/b-cache.test.ts'],
    [['!entry || now < entry.until', 'true', 'what is remembered never ends']],
  ),
  ...of(
    'in-time.ts',
    ['unit/verifiers/in-time.test.ts'],
    [
      [
        'return within(answer, timeout, clock, () => {',
        'return answer.finally(() => {',
        'a verifier that never answers',
      ],
      ['    context.abort(error)\n', '', 'a verifier works on for nobody'],
    ],
  ),
  ...of(
    'sealed.ts',
    ['unit/verifiers/sealed.test.ts'],
    [
      ['if (error instanceof UnavailableError) throw error', '', 'a broken dependency is a bad seal'],
      ['expiresAt <= now', 'false', 'a session beyond its end'],
      ['issuedAt > now + leeway', 'false', 'a session that no revocation means'],
    ],
  ),
  ...of(
    'session.ts',
    ['unit/verifiers/session.test.ts', 'threats/b-session.test.ts'],
    [
      ["typeof expiresAt === 'number' && expiresAt <= context.now", 'false', 'a session that has ended'],
      ['session = hash(value)', 'session = value', 'the credential is the name of the session'],
    ],
  ),
  ...of('logout-token.ts', logout, [
    ['...(isName(user) && { user })', '', 'a logout of a session that tokens do not name ends nothing'],
    ['subjectText(sub)', 'sub', 'a logout of whom the issuer calls by a number is refused'],
    ["if (token.length > maxLength) return rejected('credential-unreadable')", '', 'a logout token of any length'],
    ["'jwt', 'logout+jwt'", "'jwt', 'logout+jwt', 'at+jwt'", 'a token of another type'],
    ["if (logout.at > now + leeway) return tooEarly('iat', logout.at, now, leeway)", '', 'a logout in the future'],
    ["if (seen.get(name, now)) return rejected('credential-revoked')", '', 'a logout token that is good twice'],
    ['nonce !== undefined ||', '', 'an ID token ends sessions'],
    ['!isObject(events) || !isObject(events[logoutEvent])', 'false', 'a token of no logout ends sessions'],
    ["required: ['iat', 'exp', 'jti']", 'required: []', 'a logout token without an end'],
    ['if (isRejected(signed)) return signed', '', 'a forged logout token is a failure of ours'],
  ]),
]
