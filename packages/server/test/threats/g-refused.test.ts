import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createGuard, type GuardOptions, type Limits } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { testClock } from '../support/clock.js'
import { nextTurn } from '../support/deferred.js'
import { allMethods, origin } from '../support/guard.js'
import { authFrame } from '../support/live.js'
import { RawClient, rawFrame, rawHandshake } from '../support/raw.js'
import { startServer } from '../support/server.js'

const authorized = { Authorization: 'Bearer good-ada' }
const kibibyte = 1_024

/** A server over TCP, its time in the test's hands, with a `WebSocketServer` as users write it. */
async function start(limits: Partial<Limits> = {}) {
  const clock = testClock()
  const { accept, ...options } = allMethods()
  const guard = createGuard({ ...options, accept, clock, limits: { ...options.limits, ...limits } } as GuardOptions<
    typeof accept
  >)
  const seen: string[] = []
  const { server, port, idle } = await startServer(
    guard,
    (socket, { identity }) => {
      seen.push(`handler ${identity.id}`)
      socket.on('message', (data) => seen.push(String(data)))
    },
    { webSocketServer: new WebSocketServer({ noServer: true }) },
  )
  /** Opens a TCP connection and sends a handshake over it: both ends. */
  async function open(target: string, headers: Record<string, string> = {}) {
    const connected = once(server, 'connection')
    const client = await RawClient.connect(port)
    const [socket] = (await connected) as [Socket]
    client.write(rawHandshake(target, headers))
    const { status } = await client.head()
    return { client, socket, status }
  }
  return { clock, guard, seen, idle, open }
}

type Started = Awaited<ReturnType<typeof start>>

/** How a peer is told that it is over, and then does not close. */
const ends: [string, (started: Started) => Promise<{ client: RawClient; socket: Socket }>][] = [
  [
    'refused by status',
    async ({ open }) => {
      const opened = await open('/ws', { Authorization: 'Bearer bad' })
      expect(opened.status).toBe(401)
      return opened
    },
  ],
  [
    'refused by Close',
    async ({ open }) => {
      const opened = await open('/ws?token=bad', { Origin: origin })
      expect((await opened.client.closeFrame())?.code).toBe(4001)
      return opened
    },
  ],
  [
    'refused by its first message',
    async ({ open }) => {
      const opened = await open('/ws')
      opened.client.write(rawFrame(authFrame('bad')))
      expect((await opened.client.closeFrame())?.code).toBe(4001)
      return opened
    },
  ],
]

const endedLater: typeof ends = [
  [
    'revoked',
    async ({ open, guard }) => {
      const opened = await open('/ws', authorized)
      await guard.revoke({ user: 'ada' })
      expect((await opened.client.closeFrame())?.code).toBe(4010)
      return opened
    },
  ],
  [
    'expired',
    async ({ open, clock }) => {
      const opened = await open('/ws', authorized)
      clock.advance(65_000)
      expect((await opened.client.closeFrame())?.code).toBe(4019)
      return opened
    },
  ],
]

describe('G20 a refused peer that does not close', () => {
  it.each(ends)('G20 keeps nobody out: %s', async (_, refuse) => {
    const started = await start({ pendingSockets: 2 })
    const refused = [await refuse(started), await refuse(started), await refuse(started)]
    expect((await started.open('/ws', authorized)).status).toBe(101)
    // They are still there, and have their second.
    for (const { socket } of refused) expect(socket.destroyed).toBe(false)
  })

  it('G20 but one that is not decided does', async () => {
    const { open } = await start({ pendingSockets: 2 })
    const waiting = [await open('/ws'), await open('/ws')]
    expect(waiting.map(({ status }) => status)).toEqual([101, 101])
    expect((await open('/ws', authorized)).status).toBe(101)
    // It waited for its first message, so that it had to make room.
    expect((await waiting[0]!.client.closeFrame())?.code).toBe(4029)
    expect(waiting[1]!.client.isClosed).toBe(false)
  })
})

describe('G21 a peer that goes on sending when it is over', () => {
  const half = rawFrame(Buffer.alloc(32 * kibibyte), { opcode: 2 })
  // The head of a message as large as ws takes, and as much of it as there is time for.
  const endless = Buffer.concat([
    Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x05, 0, 0, 0, 0, 0, 0, 0]),
    Buffer.alloc(64 * kibibyte),
  ])

  it.each([...ends, ...endedLater])('G21 is cut off after 64 KiB: %s', async (_, end) => {
    const started = await start()
    const { client, socket } = await end(started)
    const before = socket.bytesRead
    while (!socket.destroyed && socket.bytesRead - before < 4_096 * kibibyte) {
      client.write(endless)
      await nextTurn()
    }
    // One read more than the limit.
    expect(socket.bytesRead - before).toBeLessThanOrEqual((64 + 64) * kibibyte)
    expect(started.seen.filter((line) => !line.startsWith('handler'))).toEqual([])
    client.destroy()
    await started.idle()
    expect(started.clock.pending).toBe(0)
  })

  it.each([...ends, ...endedLater])('G21 but not with what was on its way: %s', async (_, end) => {
    const started = await start()
    const { client, socket } = await end(started)
    const before = socket.bytesRead
    client.write(half)
    while (socket.bytesRead - before < half.length) await nextTurn()
    await nextTurn()
    expect(socket.destroyed).toBe(false)
    expect(started.seen.filter((line) => !line.startsWith('handler'))).toEqual([])
    started.clock.advance(1_000)
    await client.gone()
  })
})
