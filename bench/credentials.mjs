// Keys, tokens and the bytes that carry them: all made before the clock starts.
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** Keys for each algorithm, as text, so that they can be handed to another process. */
export function createKeys() {
  const pair = (type, options) => {
    const { privateKey, publicKey } = generateKeyPairSync(type, options)
    return {
      privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      publicKey: publicKey.export({ type: 'spki', format: 'pem' }),
    }
  }
  return {
    HS256: { secret: randomBytes(32).toString('hex') },
    ES256: pair('ec', { namedCurve: 'P-256' }),
    RS256: pair('rsa', { modulusLength: 2048 }),
    EdDSA: pair('ed25519', {}),
  }
}

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A function that signs a token for a user; none is like another. `lifetime` is in seconds. */
export function createSigner(alg, keys, lifetime = 3600) {
  const head = encode({ alg, typ: 'JWT' })
  const signatureOf = signatures[alg]
  return (user) => {
    const iat = Math.floor(Date.now() / 1000)
    const jti = randomBytes(12).toString('base64url')
    const claims = { iss: 'bench', aud: 'bench', sub: user, iat, exp: iat + lifetime, jti }
    const signed = `${head}.${encode(claims)}`
    return `${signed}.${signatureOf(signed, keys[alg]).toString('base64url')}`
  }
}

const signatures = {
  HS256: (data, { secret }) => createHmac('sha256', secret).update(data).digest(),
  ES256: (data, { privateKey }) => sign('sha256', Buffer.from(data), { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  RS256: (data, { privateKey }) => sign('sha256', Buffer.from(data), privateKey),
  EdDSA: (data, { privateKey }) => sign(null, Buffer.from(data), privateKey),
}

/** A token with another's signature: well-formed, and false. */
export function forge(token, other) {
  const signature = other.slice(other.lastIndexOf('.'))
  return token.slice(0, token.lastIndexOf('.')) + signature
}

/** The tokens of a run. Each supplier takes a count and answers so many. */
export function createCredentials() {
  const keys = createKeys()
  const pools = new Map()
  let users = 0

  /** Tokens that nobody has seen. */
  const fresh = (alg, lifetime) => {
    const sign = createSigner(alg, keys, lifetime)
    return (count) =>
      Array.from({ length: count }, () => {
        users += 1
        return sign(`user-${users}`)
      })
  }

  /** The same thousand tokens again and again, whoever asks for them, as of clients that come back. */
  const seen = (alg) => {
    if (!pools.has(alg)) pools.set(alg, fresh(alg)(1_000))
    return (count) => repeat(pools.get(alg), count)
  }

  /** One token whose signature is another's. */
  const forged = (alg) => {
    const [token, other] = fresh(alg)(2)
    return forge(token, other)
  }

  return { keys, fresh, seen, forged }
}

/** As many as `count`, of `pool` by turns. */
export const repeat = (pool, count) => Array.from({ length: count }, (_, i) => pool[i % pool.length])
