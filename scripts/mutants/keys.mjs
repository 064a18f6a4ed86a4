// Where the keys of tokens come from.
import { mutantsOf } from '../mutants-of.mjs'

const signature = ['threats/b-signature.test.ts', 'unit/verifiers/jwt.test.ts', 'threats/b-spelling.test.ts']
const providers = ['threats/b-providers.test.ts']
const jwks = ['threats/b-jwks.test.ts', 'unit/verifiers/jwks.test.ts']
const discovery = ['threats/b-discovery.test.ts']
const introspection = ['unit/verifiers/introspection.test.ts', 'threats/b-introspection.test.ts']
const settings = ['unit/verifiers/jwt.test.ts', 'unit/verifiers/jwks.test.ts', 'unit/verifiers/introspection.test.ts']
const of = mutantsOf('verifiers/')

export default [
  ...of('keys/key-source.ts', providers, [
    ['isKeyFile(bytes) ||', '', 'a public key as a secret'],
    ["|| isKeyFile(Buffer.from(bytes.toString('latin1'), 'base64'))", '', 'a public key in base64 as a secret'],
    ["if (text.includes('-----BEGIN ')) return true", '', 'a PEM as a secret'],
    ["isObject(value) && ('kty' in value || 'keys' in value)", 'false', 'a JWK as a secret'],
    [
      "format: 'der', type: 'spki' }).type === 'public'",
      "format: 'der', type: 'spki' }).type !== 'public'",
      'DER as a secret',
    ],
    [".replaceAll('\\\\r', '')", '', 'a private key with its name broken up'],
  ]),
  ...of('keys/fetch-json.ts', providers, [
    [
      'await within(answer(), timeout,',
      'await within(answer(), timeout * 1e6,',
      'a fetch of the application that never ends',
    ],
    ['if (response.redirected)', 'if (false)', 'keys from where a fetch of the application was sent'],
    ['if (size > maxBytes)', 'if (false)', 'a body without an end'],
    [
      "if (!ArrayBuffer.isView(value)) throw new TypeError('the body has something else than bytes')",
      '',
      'a body without a size',
    ],
  ]),
  ...of('keys/key-source.ts', signature, [
    ["pem.includes('PRIVATE KEY') ? undefined :", '', 'a private key in the place of the public one'],
    ["key.type === 'public'", 'true', 'a private key object in the place of the public one'],
    ['.length === 0) {', '.length < 0) {', 'an algorithm that no key is for'],
  ]),
  ...of(
    'keys/key-source.ts',
    [...jwks, ...signature],
    [
      ["|| 'd' in jwk", '', 'a key whose private half is known'],
      ["use !== 'sig' ||", '', 'a key for encryption'],
      ['!Array.isArray(operations) ||', '', 'a key whose use cannot be read'],
      ["|| !operations.includes('verify')", '', 'a key that is not for verifying'],
      ['alg === undefined || alg === name', 'true', 'a key of the set for another algorithm than its own'],
      ['&& (kid === undefined || one.kid === kid)', '', 'another key than the token names'],
    ],
  ),
  ...of('keys/options.ts', settings, [
    [
      'if (checked.every((algorithm) => allowed.includes(algorithm))) return checked',
      'return checked',
      'a public key as an HMAC secret',
    ],
  ]),
  ...of('keys/fetched-keys.ts', jwks, [
    ['.slice(0, maxTries)', '', 'any number of signatures for one token'],
    ['if (isSoon(now)) return Promise.resolve()', '', 'a fetch for each unknown key'],
    ['Math.abs(now - attemptedAt)', 'now - attemptedAt', 'nobody comes in until the clock is where it was'],
    [
      'current.fetchedAt = Math.min(current.fetchedAt, now)',
      '',
      'a key that was withdrawn is good until the clock is where it was',
    ],
    ['Math.min(2 * gap, cooldown)', 'shortestGap', 'a fetch each second for unknown keys'],
    ['elapsed < 2 * cooldown ?', 'elapsed < cooldown ?', 'unknown keys that come in all the time begin anew'],
    ['if (!current || !isYounger(now, lastUse))', 'if (!current)', 'keys that are older than they may be'],
    ['found.keys.length === 0 && failure', 'false', 'an unknown key while the server is down is a forgery'],
    ['mayFetch ? maxAge : lastUse', 'lastUse', 'a removed key for an hour'],
  ]),
  ...of('keys/discover.ts', discovery, [
    ['named !== issuer', 'false', 'keys by the document of another issuer'],
    [
      "typeof endpoint === 'string' ? endpoint : '', dangerouslyAllowHttp)",
      "typeof endpoint === 'string' ? endpoint : '', true)",
      'keys that whoever is on the wire can make',
    ],
    ["search !== '' || hash !== ''", 'false', 'a document that is looked for in the wrong place'],
    ['within(keys, timeout,', 'within(keys, 2 * timeout,', 'a verification that waits for two fetches'],
  ]),
  ...of('keys/breaker.ts', introspection, []),
  ...of(
    'keys/fetch-json.ts',
    [...introspection, ...jwks],
    [["...question, redirect: 'manual'", "...question, redirect: 'follow'", 'a redirect takes the token elsewhere']],
  ),
]
