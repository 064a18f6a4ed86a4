import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  cookie,
  firstMessage,
  GuardedSocket,
  type GuardedSocketEventMap,
  type GuardedSocketOptions,
  header,
  renewal,
  ticket,
} from '@sallyport/client'
import { encodeFrame, readAuthFrame } from '@sallyport/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

/** The class of `ws`, with a limit on what a server may send. */
class LimitedWebSocket extends WebSocket {
  constructor(url: string, protocols?: string | string[], options?: object) {
    super(url, protocols, { ...options, maxPayload: 1024 })
  }
}

const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
})

/** A server on a free port of the loopback; returns where it is. */
async function listen(server: Server): Promise<string> {
  const sockets = new Set<Duplex>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  cleanUps.push(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

type Upgrade = (request: IncomingMessage, socket: Duplex, accept: () => Promise<WebSocket>) => void

/** A server that answers upgrades as `upgrade` says. */
async function serve(upgrade: Upgrade, server = createServer()): Promise<string> {
  const wss = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {})
    const accept = () => new Promise<WebSocket>((resolve) => wss.handleUpgrade(request, socket, head, resolve))
    upgrade(request, socket, accept)
  })
  return listen(server)
}

function connect(host: string, options: Partial<GuardedSocketOptions> = {}): GuardedSocket {
  const reconnect = { baseMs: 1, capMs: 1 }
  const socket = new GuardedSocket(`ws://${host}/ws`, { credential: cookie(), WebSocket, reconnect, ...options })
  cleanUps.push(() => socket.close())
  return socket
}

/** The next event of a type. */
const next = <K extends keyof GuardedSocketEventMap>(socket: GuardedSocket, type: K) =>
  new Promise<GuardedSocketEventMap[K]>((resolve) => socket.addEventListener(type, resolve, { once: true }))

const refuse = (socket: Duplex, head: string) =>
  socket.end(`HTTP/1.1 ${head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)

describe('in front of a real server', () => {
  it('fetches a ticket, talks, and comes back with another ticket', async () => {
    let issued = 0
    const used: (string | null)[] = []
    const server = createServer((request, response) => {
      const good = request.method === 'POST' && request.headers.authorization === 'Bearer access'
      response.writeHead(good ? 201 : 401).end(good ? JSON.stringify({ ticket: `t${++issued}`, expiresIn: 30 }) : '')
    })
    const host = await serve(async ({ url }, _socket, accept) => {
      used.push(new URL(url ?? '', 'http://host').searchParams.get('ticket'))
      const peer = await accept()
      peer.on('message', (data) => (String(data) === 'drop' ? peer.terminate() : peer.send(`echo ${data}`)))
    }, server)
    const socket = connect(host, { credential: ticket('/ws/ticket', { token: () => 'access' }) })
    socket.send('one')
    expect((await next(socket, 'message')).data).toBe('echo one')
    const closed = next(socket, 'close')
    socket.send('drop')
    expect(await closed).toMatchObject({ code: 1006 })
    await socket.ready
    socket.send('two')
    expect((await next(socket, 'message')).data).toBe('echo two')
    expect(used).toEqual(['t1', 't2'])
    socket.close(4000, 'done')
    expect(await next(socket, 'close')).toMatchObject({ code: 4000, reason: 'done', wasClean: true })
  })

  it('delivers bytes as the binaryType says', async () => {
    const host = await serve(async (_request, _socket, accept) => {
      const peer = await accept()
      peer.on('message', (data) => peer.send(data))
    })
    const socket = connect(host)
    socket.binaryType = 'arraybuffer'
    socket.send(new Uint8Array([1, 2, 3]))
    const { data } = await next(socket, 'message')
    expect(data).toEqual(new Uint8Array([1, 2, 3]).buffer)
  })

  it('is open when the first message is acknowledged', async () => {
    const host = await serve(async (_request, _socket, accept) => {
      const peer = await accept()
      peer.once('message', (data) => {
        const userId = readAuthFrame(String(data)) === 'malformed' ? 'nobody' : 'ada'
        peer.send(encodeFrame({ type: 'auth_ok', userId, connection: 'c1', expiresIn: 60 }))
        peer.on('message', (message) => peer.send(`echo ${message}`))
      })
    })
    const socket = connect(host, { credential: firstMessage(() => 'secret') })
    socket.send('hello')
    expect(await next(socket, 'authenticated')).toMatchObject({ userId: 'ada', connection: 'c1', expiresIn: 60 })
    expect((await next(socket, 'message')).data).toBe('echo hello')
  })

  it('renews by another first message, on the same connection', async () => {
    let connections = 0
    const tokens: unknown[] = []
    const host = await serve(async (_request, _socket, accept) => {
      const peer = await accept()
      connections++
      peer.on('message', (data) => {
        const frame = readAuthFrame(String(data))
        if (frame === undefined || frame === 'malformed') {
          peer.send(`echo ${data}`)
          return
        }
        const { token, nonce } = frame
        tokens.push(token)
        peer.send(encodeFrame({ type: 'auth_ok', userId: 'ada', connection: 'c1', expiresIn: 60, nonce }))
        if (token === 'first') peer.send(encodeFrame({ type: 'auth_expiring', expiresIn: 0, nonce }))
        else peer.send('renewed')
      })
    })
    const socket = connect(host, { credential: firstMessage(() => 'first'), renew: renewal(() => 'second') })
    expect((await next(socket, 'message')).data).toBe('renewed')
    socket.send('hello')
    expect((await next(socket, 'message')).data).toBe('echo hello')
    expect([tokens, connections]).toEqual([['first', 'second'], 1])
  })

  it.each([
    ['goes on', 200, '{"expiresIn":60}'],
    ['stops', 403, ''],
  ])('renews over HTTP, and %s when the answer is %i', async (what, status, body) => {
    const server = createServer()
    const asked = once(server, 'request').then(([request, response]) => {
      response.writeHead(status).end(body)
      return [request.method, request.url, request.headers.authorization]
    })
    const host = await serve((_request, _socket, accept) => accept(), server)
    const socket = connect(host, { renew: renewal('/ws/renew', { token: () => 'fresh' }) })
    expect(await asked).toEqual(['POST', '/ws/renew', 'Bearer fresh'])
    if (what === 'stops') {
      expect((await next(socket, 'terminal')).outcome).toMatchObject({ kind: 'forbidden', status: 403 })
      return
    }
    socket.close()
    expect(await next(socket, 'close')).toMatchObject({ code: 1005 })
  })

  it('loses nothing to a server that accepts and then refuses by Close', async () => {
    let connections = 0
    const heard: string[] = []
    const host = await serve(async (_request, _socket, accept) => {
      const peer = await accept()
      if (++connections === 1) peer.close(4001, 'Authentication failed')
      else {
        peer.on('message', (data) => {
          heard.push(String(data))
          peer.send(`echo ${data}`)
        })
      }
    })
    const socket = connect(host)
    socket.send('queued')
    socket.addEventListener('open', () => socket.send('live'), { once: true })
    await new Promise<void>((resolve) => {
      socket.addEventListener('message', ({ data }) => data === 'echo live' && resolve())
    })
    expect([heard, connections]).toEqual([['queued', 'live'], 2])
  })

  it.each([
    ['accepts', 'Bearer good', 'open', ['first']],
    ['stops at the second 401 for', 'Bearer bad', 'terminal', ['first', 'rejected']],
  ] as const)('%s a header, because `ws` shows the status', async (_what, expected, end, expectedReasons) => {
    const host = await serve((request, socket, accept) => {
      expect(request.headers.authorization).toBe(expected)
      if (expected === 'Bearer good') accept()
      else refuse(socket, '401 Unauthorized')
    })
    const reasons: string[] = []
    const credential = header(({ reason }) => {
      reasons.push(reason)
      return expected.slice('Bearer '.length)
    })
    const socket = connect(host, { credential })
    const event = await next(socket, end)
    expect(reasons).toEqual(expectedReasons)
    if (end === 'terminal') expect(event).toMatchObject({ outcome: { kind: 'unauthenticated', status: 401 } })
  })

  it('reads Retry-After of a refused upgrade', async () => {
    const host = await serve((_request, socket) => refuse(socket, '503 Service Unavailable\r\nRetry-After: 3'))
    const { outcome, delayMs } = await next(connect(host), 'reconnecting')
    expect(outcome).toMatchObject({ kind: 'unavailable', status: 503, retryAfter: 3 })
    expect(delayMs).toBeGreaterThanOrEqual(3_000)
  })

  it('calls a port where nobody listens `network`, and not ambiguous', async () => {
    const host = await listen(createServer())
    for (const cleanUp of cleanUps.splice(0)) cleanUp()
    const { outcome } = await next(connect(host), 'reconnecting')
    expect(outcome).toMatchObject({ kind: 'network', system: 'ECONNREFUSED' })
    expect(outcome).not.toHaveProperty('ambiguous')
  })

  it('calls a ticket endpoint where nobody listens `network`, and not ambiguous', async () => {
    const host = await listen(createServer())
    for (const cleanUp of cleanUps.splice(0)) cleanUp()
    const { outcome } = await next(connect(host, { credential: ticket('/ws/ticket') }), 'reconnecting')
    expect(outcome).toMatchObject({ kind: 'network', system: 'ECONNREFUSED' })
    expect(outcome).not.toHaveProperty('ambiguous')
  })

  it('survives close() in every state of a real handshake', async () => {
    const host = await serve((_request, _socket, accept) => accept())
    const early = connect(host)
    early.close()
    expect(await next(early, 'close')).toMatchObject({ code: 1005 })
    const during = connect(host)
    await new Promise<void>((resolve) => setImmediate(resolve))
    during.close()
    expect(await next(during, 'close')).toMatchObject({ code: 1005 })
    const open = connect(host)
    await open.ready
    open.close(3001)
    expect(await next(open, 'close')).toMatchObject({ code: 3001, wasClean: true })
  })
})

describe('K01 redirects of a real server', () => {
  /** A host to which a redirect points, and what it was sent. */
  async function elsewhere() {
    const seen: (string | undefined)[] = []
    const host = await listen(
      createServer((request, response) => {
        seen.push(request.headers.authorization)
        response.writeHead(201).end('{"ticket":"stolen"}')
      }),
    )
    return { host, seen }
  }

  it.each([301, 302, 303, 307, 308])('K01 a %i of the ticket endpoint is not followed', async (status) => {
    const { host: target, seen } = await elsewhere()
    const server = createServer((_request, response) => {
      response.writeHead(status, { location: `http://${target}/ticket` }).end()
    })
    const host = await serve(() => expect.unreachable(), server)
    const socket = connect(host, { credential: ticket('/ws/ticket', { token: () => 'secret' }) })
    const { outcome } = await next(socket, 'terminal')
    expect(outcome).toMatchObject({ kind: 'misconfigured', status })
    expect(seen).toEqual([])
  })

  it('K01 a 302 of the upgrade is not followed', async () => {
    const { host: target, seen } = await elsewhere()
    const host = await serve((_request, socket) => refuse(socket, `302 Found\r\nLocation: ws://${target}/`))
    const socket = connect(host, { credential: header(() => 'secret') })
    const { outcome } = await next(socket, 'terminal')
    expect(outcome).toMatchObject({ kind: 'misconfigured', status: 302 })
    expect(seen).toEqual([])
  })
})

describe('K12 a hostile server', () => {
  it.each([
    ['a frame that declares 2^63 bytes', Buffer.from([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0])],
    ['a frame over the limit', Buffer.concat([Buffer.from([0x82, 126, 0x08, 0x00]), Buffer.alloc(2048)])],
    ['a compressed frame that nobody negotiated', Buffer.from([0xc1, 1, 0x00])],
    ['reserved bits', Buffer.from([0xf1, 0])],
    ['an unknown opcode', Buffer.from([0x83, 0])],
    ['a masked frame', Buffer.from([0x81, 0x80, 1, 2, 3, 4])],
    ['text that is not UTF-8', Buffer.from([0x81, 1, 0xff])],
    ['a fragmented Close', Buffer.from([0x08, 0])],
    ['a Close of one byte', Buffer.from([0x88, 1, 0])],
    ['a Close with a code that does not exist', Buffer.from([0x88, 2, 0x03, 0xee])],
  ])('K12 that sends %s gives an error event, and the socket lives', async (_what, bytes) => {
    let hostile = true
    const host = await serve(async (_request, raw, accept) => {
      const peer = await accept()
      peer.on('error', () => {})
      if (hostile) raw.write(bytes)
      else peer.send('well')
      hostile = false
    })
    const socket = connect(host, { WebSocket: LimitedWebSocket })
    const { error } = await next(socket, 'error')
    expect(error.outcome.kind).toMatch(/^(network|unavailable)$/)
    expect((await next(socket, 'message')).data).toBe('well')
  })

  it('K12 that answers no HTTP gives an error event, and the socket lives', async () => {
    let hostile = true
    const host = await serve(async (_request, raw, accept) => {
      if (hostile) raw.end('\0\0\0 nonsense\r\n\r\n')
      else (await accept()).send('well')
      hostile = false
    })
    const socket = connect(host)
    const { error } = await next(socket, 'error')
    expect(error.outcome.kind).toBe('network')
    expect((await next(socket, 'message')).data).toBe('well')
  })
})
