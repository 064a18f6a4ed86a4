import { randomFillSync } from 'node:crypto'

const pool = Buffer.alloc(4_096)
let used = pool.length

/**
 * So many random bytes, 4,096 at most. The system is asked for a pool of them at a time: each question costs more than all
 * else that a handshake does. No byte is handed out twice, nor kept.
 */
export function randomBytes(count: number): Uint8Array {
  if (used + count > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const bytes = Uint8Array.prototype.slice.call(pool, used, used + count)
  pool.fill(0, used, used + count)
  used += count
  return bytes
}
