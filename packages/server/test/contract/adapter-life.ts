import { describe, expect, it } from 'vitest'
import { RawClient, rawFrame, rawHandshake, rawOpen } from '../support/raw.js'
import type { StartScene } from './adapter.js'
import type { SceneControl } from './scene.js'

const ada = { Authorization: 'Bearer good-ada' }
const eve = { Authorization: 'Bearer good-eve' }
const auth = (token: string) => JSON.stringify({ type: 'auth', token })
const second = 1_000
/** How long the credentials of these tests live, and the leeway of the guard. */
const life = 65 * second

/** What becomes of a connection that every adapter has let in. */
export function connectionLifeContract(start: StartScene, { endsPeers }: { readonly endsPeers: boolean }): void {
  describe('ends a connection', () => {
    const ends: [string, { code: number; reason: string }, (scene: SceneControl) => Promise<unknown>][] = [
      ['with its credential', { code: 4019, reason: 'Credential expired' }, (scene) => scene.advance(life)],
      ['with a revocation', { code: 4010, reason: 'Revoked' }, (scene) => scene.revoke({ user: 'ada' })],
      ['in a drain', { code: 1012, reason: 'Service restart' }, (scene) => scene.drain()],
    ]

    it.each(ends)('%s, and then nothing crosses, whatever its peer does', async (_, close, end) => {
      const scene = await start()
      const { client } = await rawOpen(scene.port, '/ws', ada)
      client.write(rawFrame('before'))
      expect(await client.textsUntil(1)).toEqual(['before'])
      await end(scene)
      // Neither of them has to know: the application sends, and a hostile peer too.
      await scene.send('ada', 'too late')
      expect(await client.closeFrame()).toEqual(close)
      client.write(rawFrame('after'))
      await client.ping()
      await scene.advance(second)
      if (endsPeers) await client.gone()
      expect(client.texts()).toEqual(['before'])
      expect(await scene.seen()).toEqual(['handler ada', 'before'])
      expect(await scene.connections()).toEqual([])
    })

    it('F01 at the end of its credential, both ways, also while the timer is late', async () => {
      const scene = await start()
      // Between two looks of the timer, only the gate itself can be what holds.
      await scene.advance(second / 2)
      const [told, tells] = [await rawOpen(scene.port, '/ws', ada), await rawOpen(scene.port, '/ws', eve)]
      await scene.advance(life - 1)
      await scene.send('ada', 'in time')
      expect(await told.client.textsUntil(1)).toEqual(['in time'])
      tells.client.write(rawFrame('in time'))
      expect(await tells.client.textsUntil(1)).toEqual(['in time'])
      await scene.advance(1)
      await scene.send('ada', 'too late')
      tells.client.write(rawFrame('too late'))
      for (const { client } of [told, tells]) {
        expect(await client.closeFrame()).toEqual({ code: 4019, reason: 'Credential expired' })
        expect(client.texts()).toEqual(['in time'])
      }
      expect(await scene.seen()).toEqual(['handler ada', 'handler eve', 'in time'])
    })

    it('of one, and leaves the others alone', async () => {
      const scene = await start()
      const gone = await rawOpen(scene.port, '/ws', ada)
      const stays = await rawOpen(scene.port, '/ws', eve)
      await scene.revoke({ user: 'ada' })
      expect(await gone.client.closeFrame()).toMatchObject({ code: 4010 })
      stays.client.write(rawFrame('still here'))
      expect(await stays.client.textsUntil(1)).toEqual(['still here'])
    })

    it('whose client reads nothing of what is sent to it', async () => {
      const scene = await start({ handler: 'slow' })
      const client = await RawClient.connect(scene.port)
      client.socket.pause()
      client.write(rawHandshake('/ws', ada))
      await scene.called()
      expect(await scene.flood('ada', 16)).toBe(false)
      // The system takes some of it.
      expect(await scene.flood('ada', 64)).toBe(true)
      // Elsewhere all of it comes, once it reads.
      if (!endsPeers) return client.destroy()
      // At once, and not when it has read them all and the Close behind them.
      await scene.until('closed')
      client.socket.resume()
      await client.gone()
    })
  })

  describe('lets a connection live on', () => {
    it('that is renewed over HTTP', async () => {
      const scene = await start()
      const renewed = await rawOpen(scene.port, '/ws', ada)
      const forgotten = await rawOpen(scene.port, '/ws', eve)
      await Promise.all([renewed, forgotten].map(({ client }) => client.ping()))
      await scene.advance(30 * second)
      expect(await scene.renew()).toBe(true)
      await scene.advance(life - 30 * second)
      expect(await forgotten.client.closeFrame()).toMatchObject({ code: 4019 })
      renewed.client.write(rawFrame('still here'))
      expect(await renewed.client.textsUntil(1)).toEqual(['still here'])
    })

    it('that is renewed by a message, which the application does not see', async () => {
      const scene = await start()
      const { client } = await rawOpen(scene.port, '/ws')
      client.write(rawFrame(auth('good-ada')))
      await client.textsUntil(1)
      // Before half of its time it is not told of its end.
      await scene.advance(29 * second)
      client.write(rawFrame(auth('good-ada')))
      await client.textsUntil(2)
      await scene.advance(life - 29 * second)
      client.write(rawFrame('still here'))
      await client.until(() => client.texts().includes('still here'))
      expect(await scene.seen()).toEqual(['handler ada', 'still here'])
      client.write(rawFrame(auth('good-eve')))
      expect(await client.closeFrame()).toMatchObject({ code: 4003 })
    })
  })
}
