import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { ConfigurationError } from '../../support/errors.js'

/** Marks what the nodes write, so that nobody else can write it, nor make it last longer. */
export interface Seal {
  /** The text, marked as written under `key`, to be worth nothing from `end` on, in milliseconds since the epoch. */
  close(key: string, text: string, end: number): string
  /** What was written under `key`; `undefined` when none of the nodes did. */
  open(key: string, sealed: string): Opened | undefined
}

/** What was sealed. Whoever opens it looks at the end. */
export interface Opened {
  readonly text: string
  readonly end: number
}

const minSecretBytes = 32

/**
 * HMAC-SHA256 (RFC 2104) over key, end and text. The first secret marks, and all are believed. `name` is that of the store,
 * for errors.
 *
 * @throws ConfigurationError when a secret is short
 */
export function createSeal(name: string, secrets: readonly (string | Uint8Array)[]): Seal {
  const works = (secret: unknown) =>
    ArrayBuffer.isView(secret)
      ? secret.byteLength >= minSecretBytes
      : typeof secret === 'string' && Buffer.byteLength(secret) >= minSecretBytes
  if (!Array.isArray(secrets) || !secrets.every(works))
    throw new ConfigurationError('store-secret', `${name}: a secret has ${minSecretBytes} random bytes at least`)
  const keys = secrets.map((secret) => createSecretKey(typeof secret === 'string' ? Buffer.from(secret) : secret))
  const [newest] = keys
  if (newest === undefined)
    return { close: (_, text, end) => `${Math.ceil(end)} ${text}`, open: (_, sealed) => read(sealed) }
  // A key has no line break, so that no two pairs of key and text look the same.
  const mark = (secret: KeyObject, key: string, text: string) =>
    createHmac('sha256', secret).update(`${key}\n${text}`).digest('base64url')
  return {
    close(key, text, end) {
      const ending = `${Math.ceil(end)} ${text}`
      return `${mark(newest, key, ending)} ${ending}`
    },
    open(key, sealed) {
      const space = sealed.indexOf(' ')
      const given = Buffer.from(sealed.slice(0, space))
      const ending = sealed.slice(space + 1)
      const isOurs = keys.some((secret) => {
        const expected = Buffer.from(mark(secret, key, ending))
        return expected.length === given.length && timingSafeEqual(expected, given)
      })
      return isOurs ? read(ending) : undefined
    },
  }
}

/** An end in front of a text. */
function read(ending: string): Opened | undefined {
  const space = ending.indexOf(' ')
  const end = Number(ending.slice(0, Math.max(0, space)) || Number.NaN)
  return Number.isFinite(end) ? { text: ending.slice(space + 1), end } : undefined
}
