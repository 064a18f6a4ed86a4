import { createGuard, type GuardEvent, type Verifier } from '@sallyport/server'
import type { ConnectionHandler } from '@sallyport/server/ws'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import { testClock } from '../support/clock.js'
import { deferred } from '../support/deferred.js'
import { allMethods, verifyGood } from '../support/guard.js'
import { handshake } from '../support/handshake.js'
import { RawClient, rawFrame, rawHandshake, rawOpen } from '../support/raw.js'
import type { StartServer } from './adapter.js'

const ada = { Authorization: 'Bearer good-ada' }
const eve = { Authorization: 'Bearer good-eve' }
const auth = (token: string) => JSON.stringify({ type: 'auth', token })
const second = 1_000
/** How long the credentials of these tests live, and the leeway of the guard. */
const life = 65 * second

/** What becomes of a connection that every adapter has let in. */
export function connectionLifeContract(start: StartServer): void {
  /** A server that echoes, its guard and its clock, and what its application gets to see and to send by. */
  async function lives(onOpen: (socket: WebSocket) => void = () => {}) {
    const clock = testClock()
    const guard = createGuard({ ...allMethods(verifyGood as Verifier), clock })
    const events: GuardEvent[] = []
    guard.subscribe((event) => events.push(event))
    const seen: string[] = []
    const sockets = new Map<string, WebSocket>()
    const onConnection: ConnectionHandler<{ id: string }> = (socket, { identity }) => {
      sockets.set(identity.id, socket)
      socket.on('message', (data) => {
        seen.push(`${identity.id} ${data}`)
        socket.send(String(data))
      })
      onOpen(socket)
    }
    return { clock, guard, events, seen, sockets, ...(await start(guard, onConnection)) }
  }

  describe('ends a connection', () => {
    const ends: [string, { code: number; reason: string }, (set: Awaited<ReturnType<typeof lives>>) => unknown][] = [
      ['with its credential', { code: 4019, reason: 'Credential expired' }, ({ clock }) => clock.advance(life)],
      ['with a revocation', { code: 4010, reason: 'Revoked' }, ({ guard }) => guard.revoke({ user: 'ada' })],
      ['in a drain', { code: 1012, reason: 'Service restart' }, ({ guard }) => void guard.drain({ within: 0 })],
    ]

    it.each(ends)('%s, and then nothing crosses, whatever its peer does', async (_, close, end) => {
      const set = await lives()
      const { client } = await rawOpen(set.port, '/ws', ada)
      client.write(rawFrame('before'))
      expect(await client.textsUntil(1)).toEqual(['before'])
      await end(set)
      // Neither of them has to know: the application sends, and a hostile peer too.
      set.sockets.get('ada')?.send('too late')
      expect(await client.closeFrame()).toEqual(close)
      client.write(rawFrame('after'))
      await client.ping()
      set.clock.advance(second)
      await client.gone()
      expect(client.texts()).toEqual(['before'])
      expect(set.seen).toEqual(['ada before'])
    })

    it('of one, and leaves the others alone', async () => {
      const { guard, port } = await lives()
      const gone = await rawOpen(port, '/ws', ada)
      const stays = await rawOpen(port, '/ws', eve)
      await guard.revoke({ user: 'ada' })
      expect(await gone.client.closeFrame()).toMatchObject({ code: 4010 })
      stays.client.write(rawFrame('still here'))
      expect(await stays.client.textsUntil(1)).toEqual(['still here'])
    })

    it('whose client reads nothing of what is sent to it', async () => {
      const opened = deferred<WebSocket>()
      const { events, port } = await lives((socket) => opened.resolve(socket))
      const client = await RawClient.connect(port)
      client.socket.pause()
      client.write(rawHandshake('/ws', ada))
      const socket = await opened.promise
      const mebibyte = Buffer.alloc(1_048_576)
      const isOver = () => events.some((event) => event.type === 'ended' && event.code === 'limited')
      for (let sent = 0; sent < 16; sent++) socket.send(mebibyte)
      expect(isOver()).toBe(false)
      // The system takes some of it.
      for (let sent = 0; !isOver() && sent < 64; sent++) socket.send(mebibyte)
      expect(isOver()).toBe(true)
      client.socket.resume()
      await client.gone()
    })
  })

  describe('lets a connection live on', () => {
    it('that is renewed over HTTP', async () => {
      const { clock, guard, port } = await lives()
      const [renewed, forgotten] = [await rawOpen(port, '/ws', ada), await rawOpen(port, '/ws', eve)]
      await Promise.all([renewed, forgotten].map(({ client }) => client.ping()))
      clock.advance(30 * second)
      expect(await guard.renew(handshake({ headers: [['authorization', 'Bearer good-ada']] }))).toHaveProperty(
        'expiresIn',
      )
      clock.advance(life - 30 * second)
      expect(await forgotten.client.closeFrame()).toMatchObject({ code: 4019 })
      renewed.client.write(rawFrame('still here'))
      expect(await renewed.client.textsUntil(1)).toEqual(['still here'])
    })

    it('that is renewed by a message, which the application does not see', async () => {
      const { clock, port, seen } = await lives()
      const { client } = await rawOpen(port, '/ws')
      client.write(rawFrame(auth('good-ada')))
      await client.textsUntil(1)
      clock.advance(30 * second)
      client.write(rawFrame(auth('good-ada')))
      await client.textsUntil(2)
      clock.advance(life - 30 * second)
      client.write(rawFrame('still here'))
      await client.until(() => seen.length > 0)
      expect(seen).toEqual(['ada still here'])
      client.write(rawFrame(auth('good-eve')))
      expect(await client.closeFrame()).toMatchObject({ code: 4003 })
    })
  })
}
