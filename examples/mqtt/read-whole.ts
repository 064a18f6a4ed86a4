import type { Duplex } from 'node:stream'

/**
 * Lets `read()` answer all that has come. Since Node.js 26 it answers one piece, and aedes 1.2 reads but once: it would wait
 * for the rest of a packet that is there.
 */
export function readWhole(stream: Duplex): Duplex {
  const read = stream.read.bind(stream)
  stream.read = (size) => {
    // Nothing is to be taken: Node.js asks itself for more.
    if (size === 0) return read(0)
    const pieces: Uint8Array[] = []
    for (let piece = read(); piece !== null; piece = read()) pieces.push(piece)
    return pieces.length === 0 ? null : Buffer.concat(pieces)
  }
  return stream
}
