import type { Wire } from '../../connections/wire.js'

/** A message as the WebSockets of fetch runtimes hand it on. */
export type Data = string | ArrayBuffer | Uint8Array | Blob

/** How messages are looked at that are handed on so. `write` makes of bytes what the runtime would. */
export function dataWire<M extends Data>(write: (bytes: Uint8Array) => M): Wire<M | string> {
  return {
    sizeOf: sizeOfData,
    has: (message, mark) => typeof message === 'string' && message.includes(mark),
    read(message: Data) {
      if (typeof message === 'string' || message instanceof Uint8Array) return message
      // Nobody can look into a Blob at once.
      return message instanceof ArrayBuffer ? new Uint8Array(message) : new Uint8Array()
    },
    write: (message) => (typeof message === 'string' ? message : write(message)),
  }
}

/** Bytes as those runtimes hand them on that know no other form. */
export const bufferOf = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer

/** How many bytes a message has. */
export function sizeOfData(message: Data): number {
  if (typeof message === 'string') return Buffer.byteLength(message)
  return message instanceof Blob ? message.size : message.byteLength
}
