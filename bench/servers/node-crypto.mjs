// What a signature costs by itself: node:crypto, on the core of the servers.
import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto'

export default function start({ keys }) {
  const publicKeys = Object.fromEntries(
    Object.entries(keys).map(([alg, { publicKey }]) => [alg, publicKey && createPublicKey(publicKey)]),
  )
  const verifiers = {
    HS256: (data, signature) =>
      timingSafeEqual(createHmac('sha256', keys.HS256.secret).update(data).digest(), signature),
    ES256: (data, signature) => verify('sha256', data, { key: publicKeys.ES256, dsaEncoding: 'ieee-p1363' }, signature),
    RS256: (data, signature) => verify('sha256', data, publicKeys.RS256, signature),
    EdDSA: (data, signature) => verify(null, data, publicKeys.EdDSA, signature),
  }

  return {
    /** Seconds of CPU that one verification of `token` costs. */
    verification({ alg, token, count }) {
      const end = token.lastIndexOf('.')
      const data = Buffer.from(token.slice(0, end))
      const signature = Buffer.from(token.slice(end + 1), 'base64url')
      const before = process.cpuUsage()
      for (let i = 0; i < count; i += 1) {
        if (!verifiers[alg](data, signature)) throw new Error(`node:crypto refuses a good ${alg} signature`)
      }
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1e6 / count
    },
  }
}
