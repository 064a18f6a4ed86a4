// What a client writes, byte for byte.

/** The head of a handshake. `lines` are header lines beside the required ones. */
export const handshake = (target = '/ws', ...lines) =>
  [
    `GET ${target} HTTP/1.1`,
    'Host: bench',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...lines,
    '\r\n',
  ].join('\r\n')

/** A request with no body, on a connection that ends with its answer. */
export const post = (target, ...lines) =>
  [`POST ${target} HTTP/1.1`, 'Host: bench', 'Connection: close', 'Content-Length: 0', ...lines, '\r\n'].join('\r\n')

const mask = Buffer.from([0x5a, 0x17, 0xc3, 0x84])

/** A masked frame (RFC 6455 section 5.2) of a text or, from a buffer, of bytes; as a latin1 string. */
export function frame(message) {
  const payload = Buffer.from(message)
  const { length } = payload
  const head = Buffer.from([
    typeof message === 'string' ? 0x81 : 0x82,
    0x80 | Math.min(length, 126),
    length >> 8,
    length,
  ])
  payload.forEach((byte, i) => {
    payload[i] = byte ^ mask[i % 4]
  })
  return Buffer.concat([length < 126 ? head.subarray(0, 2) : head, mask, payload]).toString('latin1')
}

/** How many bytes the unmasked frame of the answer has. */
export const frameLength = (length) => length + (length < 126 ? 2 : 4)
