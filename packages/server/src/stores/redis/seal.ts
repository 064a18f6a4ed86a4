import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { ConfigurationError } from '../../support/errors.js'

/** Marks what the nodes write, so that nobody else can write it. */
export interface Seal {
  /** The text, marked as written under `key`. */
  close(key: string, text: string): string
  /** The text of what was written under `key`; `undefined` when none of the nodes did. */
  open(key: string, sealed: string): string | undefined
}

const minSecretBytes = 32

/**
 * HMAC-SHA256 (RFC 2104) over key and text. The first secret marks, and all are believed.
 *
 * @throws ConfigurationError when a secret is short
 */
export function createSeal(secrets: readonly (string | Uint8Array)[]): Seal {
  const short = secrets.some((secret) => Buffer.byteLength(secret) < minSecretBytes)
  if (short) throw new ConfigurationError(`redisStore: a secret has ${minSecretBytes} random bytes at least`)
  const keys = secrets.map((secret) => createSecretKey(typeof secret === 'string' ? Buffer.from(secret) : secret))
  const [newest] = keys
  if (newest === undefined) return { close: (_, text) => text, open: (_, sealed) => sealed }
  // A key has no line break, so that no two pairs of key and text look the same.
  const mark = (secret: KeyObject, key: string, text: string) =>
    createHmac('sha256', secret).update(`${key}\n${text}`).digest('base64url')
  return {
    close: (key, text) => `${mark(newest, key, text)} ${text}`,
    open(key, sealed) {
      const space = sealed.indexOf(' ')
      const given = Buffer.from(sealed.slice(0, space))
      const text = sealed.slice(space + 1)
      const isOurs = keys.some((secret) => {
        const expected = Buffer.from(mark(secret, key, text))
        return expected.length === given.length && timingSafeEqual(expected, given)
      })
      return isOurs ? text : undefined
    },
  }
}
