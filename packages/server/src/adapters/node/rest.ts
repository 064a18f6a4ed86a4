import type { Duplex } from 'node:stream'

const maxRest = 65_536

/**
 * Reads what a peer still sends to a socket that is over: unread, it would turn our FIN into a reset that loses what we
 * said. Who sends more than 64 KiB of it has not listened, and is cut off.
 */
export function limitRest(socket: Duplex): void {
  let bytes = 0
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > maxRest) socket.destroy()
  })
}
