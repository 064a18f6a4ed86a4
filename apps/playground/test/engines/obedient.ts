import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { codes } from '@sallyport/protocol'
import { WebSocketServer } from 'ws'

/** A server that does what the path says, and whose page is of another origin than the playground's. */
export interface Obedient {
  readonly url: string
  close(): void
}

/**
 * `/` is a page with that script. To a WebSocket: `/close/4001` closes so, with the reason of the table, `/status/401` answers
 * so, `/drop` ends the connection without a Close, `/garbage` breaks the protocol. Over HTTP `/status/401` answers so, and
 * `/drop` not at all.
 */
export async function startObedient(script: string): Promise<Obedient> {
  const server = createServer((request, response) => {
    const status = statusOf(request.url)
    if (request.url === '/drop') request.socket.destroy()
    else if (request.url === '/visits.js') response.setHeader('Content-Type', 'text/javascript').end(script)
    else if (status) response.writeHead(status, headersOf(status)).end('{}')
    else response.setHeader('Content-Type', 'text/html').end('<!doctype html><script src="/visits.js"></script>')
  })
  const inside = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {})
    const status = statusOf(request.url)
    if (status) {
      const headers = Object.entries({ ...headersOf(status), 'Content-Length': '0', Connection: 'close' })
      const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`)
      socket.end(`HTTP/1.1 ${status} No\r\n${lines.join('')}\r\n`)
      return
    }
    inside.handleUpgrade(request, socket, head, (accepted) => {
      const close = Number(/^\/close\/(\d+)/.exec(request.url ?? '')?.[1])
      if (close) accepted.close(close, reasonOf(close))
      // A text frame (RFC 6455 section 5.2) whose reserved bits are set.
      else if (request.url === '/garbage') socket.end(Uint8Array.of(0xf1, 0x01, 0x41))
      else accepted.once('message', () => socket.destroy())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      for (const socket of inside.clients) socket.terminate()
      server.closeAllConnections()
      server.close()
    },
  }
}

export const reasonOf = (close: number): string =>
  Object.values(codes).find((code) => 'close' in code && code.close === close)?.reason ?? ''

const statusOf = (path = ''): number => Number(/^\/status\/(\d+)/.exec(path)?.[1] ?? 0)

const headersOf = (status: number): Record<string, string> =>
  status < 400 ? { Location: '/' } : status === 429 || status === 503 ? { 'Retry-After': '7' } : {}
