/** Reads bytes from front to back. What is not there reads as nothing, and is told of by {@link isBroken}. */
export class Cursor {
  /** How far it has read; beyond the end where something is cut short. */
  at = 0
  /** Whether something that was read was cut short, or has a length of more than four bytes. */
  isBroken = false
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  take(count: number): Buffer {
    const from = this.at
    this.at += count
    if (this.at > this.#bytes.length) this.isBroken = true
    return this.#bytes.subarray(from, this.at)
  }

  byte(): number {
    return this.take(1)[0] ?? 0
  }

  /** A number of seven bits a byte, the lowest first; the highest bit of a byte says that another follows. */
  variable(): number {
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    this.isBroken = true
    return 0
  }
}

/** Writes what {@link Cursor.variable} reads. */
export function variable(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...variable(value >>> 7)]
}
