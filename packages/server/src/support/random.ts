import { randomFillSync } from 'node:crypto'
import { kindOf } from './kind-of.js'

/** That many random bytes. */
export type Random = (count: number) => Uint8Array

const pool = Buffer.alloc(4_096)
let used = pool.length

/** Uses up so many bytes of the pool. No byte is handed out twice, nor kept. */
function take<T>(count: number, read: (start: number, end: number) => T): T {
  if (used + count > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const start = used
  used += count
  const taken = read(start, used)
  pool.fill(0, start, used)
  return taken
}

/**
 * So many random bytes, 4,096 at most. The system is asked for a pool of them at a time: each question costs more than all
 * else that a handshake does.
 */
export const randomBytes: Random = (count) =>
  take(count, (start, end) => Uint8Array.prototype.slice.call(pool, start, end))

/** So many random bytes in base64url. Those of our own pool become text without a copy. */
export const randomText = (random: Random, count: number): string =>
  random === randomBytes
    ? take(count, (start, end) => pool.toString('base64url', start, end))
    : Buffer.from(bytesOf(random, count)).toString('base64url')

/** A random number from 0 to 1, as fine as a byte. */
export const randomFraction = (random: Random): number =>
  (random === randomBytes ? take(1, (start) => pool[start]!) : bytesOf(random, 1)[0]!) / 256

/** The bytes of somebody's own source: fewer could be guessed. */
function bytesOf(random: Random, count: number): Uint8Array {
  const bytes = random(count)
  if (ArrayBuffer.isView(bytes) && bytes.length === count) return bytes
  throw new TypeError(`random: answered ${kindOf(bytes)}; give a Uint8Array of as many bytes as are asked for`)
}
