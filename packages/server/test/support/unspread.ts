import { randomBytes } from 'node:crypto'

/** Random bytes for all but what is spread over time by a single one: that comes when its interval is over, not by chance. */
export const unspread = (count: number): Uint8Array => (count === 1 ? new Uint8Array(1) : randomBytes(count))
