import { readSubprotocols } from '@sallyport/protocol'
import type { Handshake } from './request.js'

/**
 * What `Sec-WebSocket-Protocol` offers, over all its lines: it is a list, and may come in several (RFC 6455 section
 * 11.3.4). Empty when nothing is offered, `undefined` when it is no such list.
 */
export function offeredSubprotocols({ headers }: Handshake): readonly string[] | undefined {
  let list: string | undefined
  for (const [name, value] of headers) {
    if (name !== 'sec-websocket-protocol') continue
    list = list === undefined ? value : `${list},${value}`
  }
  return list === undefined ? none : readSubprotocols(list)
}

const none: readonly string[] = []
