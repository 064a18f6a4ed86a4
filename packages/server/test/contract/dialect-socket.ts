import { once } from 'node:events'
import type { WireMessage } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { Client } from '../support/client.js'
import { cut, type DialectFixture } from './dialect.js'
import { type DialectControl, type DialectSetting, nameOf, type StartDialect, shown } from './dialect-scene.js'

const asBytes = (message: WireMessage) => (typeof message === 'string' ? message : Buffer.from(message))

/** Opens a socket, and waits until the server has answered a ping: what was sent before has been read. */
async function open({ port, path }: Awaited<ReturnType<StartDialect>>, options: object = {}) {
  const client = await Client.open(`ws://127.0.0.1:${port}${path}`, options)
  const settle = async () => {
    client.socket.ping()
    await once(client.socket, 'pong')
  }
  /** Waits until the application greets. */
  const greeted = async () => {
    const texts = [await client.text()]
    while (texts.at(-1) !== 'open') texts.push(await client.text())
    return texts
  }
  return { client, settle, greeted, say: (message: WireMessage) => client.send(asBytes(message)) }
}

/** What the application has seen, once that is so many lines. */
async function seenUntil(server: DialectControl, count: number): Promise<string[]> {
  let seen = await server.seen()
  while (seen.length < count) seen = await server.seen()
  return seen
}

/** What every dialect keeps to on a socket, whatever the server. */
export function dialectOnSocket(name: string, fixture: DialectFixture, startDialect: StartDialect): void {
  const dialect = nameOf(fixture.dialect)
  const { hello, bare, mayLackIt, isStream, behind, refused, closes, again } = fixture
  const start = (setting: Omit<DialectSetting, 'dialect'> = {}) => startDialect({ dialect, ...setting })
  /** What the application gets in place of the first message. */
  const bared = bare === undefined ? [] : [shown(bare)]

  describe(`${name}: on a socket`, () => {
    it('delivers what the application is to see, and what follows, once and in order, after the accept', async () => {
      const server = await start({ holds: true })
      const { client, greeted, say, settle } = await open(server)
      say(hello('good-ada'))
      while (!(await server.hasAsked()));
      say(behind)
      await settle()
      expect(await server.seen()).toEqual([])
      await server.release()
      expect((await greeted()).length).toBeLessThan(3)
      say(behind)
      const seen = await seenUntil(server, 3 + bared.length)
      expect(seen).toEqual(['ada', ...bared, shown(behind), shown(behind)])
      expect(seen.join()).not.toContain('good-ada')
      expect(client.waiting).toBe(0)
    })

    it.each([
      ['bad', 'unauthenticated'],
      ['good-eve', 'forbidden'],
    ] as const)('refuses %s in its words, then closes; the application sees nothing', async (credential, code) => {
      const server = await start()
      const { client, say } = await open(server)
      say(hello(credential))
      say(behind)
      expect((await client.closed).code).toBe(closes[code])
      const words = refused[code]
      expect(client.waiting).toBe(words === undefined ? 0 : 1)
      if (words !== undefined) expect(await client.next()).toEqual(Buffer.from(words))
      expect(await server.seen()).toEqual([])
    })

    it.each(['good-canary', 'bad-canary', 'good-eve-canary'])(
      'D43 tells nobody of the credential %s',
      async (credential) => {
        const server = await start()
        const { client, say } = await open(server)
        say(hello(credential))
        if (credential === 'good-canary') expect((await seenUntil(server, 1 + bared.length))[0]).toBe('canary')
        else await client.closed
        const events = await server.events()
        expect(events).toHaveLength(1)
        const told = [...(await server.seen()), ...events]
        while (client.waiting > 0) told.push(String(await client.next()))
        expect(told.join()).not.toContain(credential)
      },
    )

    it('refuses one that lacks the credential, at once', async () => {
      const server = await start()
      const { client, say } = await open(server)
      say(hello(''))
      expect((await client.closed).code).toBe(mayLackIt ? closes.unauthenticated : 1008)
      expect(await server.seen()).toEqual([])
    })

    it('D42 waits for it as long as for any other, however many others come, and no byte longer', async () => {
      const server = await start()
      const [slow, wordy, good] = [await open(server), await open(server), await open(server)]
      const first = cut(hello('good-ada'), 4)[0]!
      for (const { say } of [slow, wordy]) say(isStream ? first : behind)
      await slow.settle()
      await wordy.settle()
      for (let i = 0; i < 20; i += 1)
        wordy.say(typeof first === 'string' ? 'x'.repeat(1_000) : Buffer.alloc(1_000, 0xff))
      expect([1008, 1009]).toContain((await wordy.client.closed).code)
      await server.advance(4_999)
      await slow.settle()
      good.say(hello('good-ada'))
      await good.greeted()
      await server.advance(1)
      expect(await slow.client.closed).toMatchObject({ code: closes.timeout, reason: 'Authentication timeout' })
      expect(await seenUntil(server, 1 + bared.length)).toEqual(['ada', ...bared])
    })

    it('takes nothing from who came in by another way', async () => {
      const server = await start()
      const { greeted, say } = await open(server, { headers: { Authorization: 'Bearer good-ada' } })
      expect(await greeted()).toEqual(['open'])
      say(hello('good-bob'))
      expect(await seenUntil(server, 2)).toEqual(['ada', shown(hello('good-bob'))])
    })

    if (again) {
      it('renews in its own words, and what is behind it waits', async () => {
        const server = await start()
        const { greeted, say } = await open(server)
        say(hello('good-ada'))
        await greeted()
        await server.advance(30_000)
        say(again('good-ada'))
        say(behind)
        const seen = await seenUntil(server, 2 + 2 * bared.length)
        expect(seen).toEqual(['ada', ...bared, ...bared, shown(behind)])
        expect(await server.lives()).toEqual([60_000])
      })

      it('keeps what it had when the newer credential is bad, and the application does not see that', async () => {
        const server = await start()
        const { client, greeted, say } = await open(server)
        say(hello('good-ada'))
        await greeted()
        say(again('bad'))
        say(behind)
        expect(await client.next()).toEqual(Buffer.from(refused.unauthenticated!))
        expect(await seenUntil(server, 2 + bared.length)).toEqual(['ada', ...bared, shown(behind)])
        expect(await server.lives()).toEqual([60_000])
      })

      it('F07 ends it for another identity', async () => {
        const server = await start()
        const { client, greeted, say } = await open(server)
        say(hello('good-ada'))
        await greeted()
        say(again('good-bob'))
        expect((await client.closed).code).toBe(closes.forbidden)
        expect((await server.seen()).join()).not.toContain('bob')
      })
    } else {
      it('has no message that renews: later ones are the application’s', async () => {
        const server = await start()
        const { greeted, say } = await open(server)
        say(hello('good-ada'))
        await greeted()
        say(hello('good-ada'))
        expect(await seenUntil(server, 2 + bared.length)).toEqual(['ada', ...bared, shown(hello('good-ada'))])
      })
    }
  })

  describe(`${name}: without firstMessage()`, () => {
    it('hides nothing', async () => {
      const server = await start({ strict: true })
      const { say } = await open(server, { headers: { Authorization: 'Bearer good-ada' } })
      say(hello('good-ada'))
      expect(await seenUntil(server, 2)).toEqual(['ada', shown(hello('good-ada'))])
    })
  })
}
