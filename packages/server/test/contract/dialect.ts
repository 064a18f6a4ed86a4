import { once } from 'node:events'
import { inspect } from 'node:util'
import { createGuard, type Dialect, firstMessage, type Heard, header, type WireMessage } from '@sallyport/server'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkDialect } from '../../src/dialects/dialect.js'
import { converseIn } from '../../src/dialects/plain.js'
import { Client } from '../support/client.js'
import { testClock } from '../support/clock.js'
import { verifyGood } from '../support/guard.js'
import { held } from '../support/held.js'
import { startServer } from '../support/server.js'

/** What the contract needs to know of a dialect. */
export interface DialectFixture {
  readonly dialect: Dialect
  /** The first message, as a client says it; empty: with no credential in it. */
  readonly hello: (credential: string) => WireMessage
  /** What the application gets in its place; absent: nothing. */
  readonly bare?: WireMessage
  /** Whether one that lacks the credential is its own form of the message, and not a broken one. */
  readonly mayLackIt: boolean
  /** Each one property away from a good first message. */
  readonly broken: Readonly<Record<string, WireMessage>>
  /** What is said before it, or in place of it, and is none. */
  readonly others: Readonly<Record<string, WireMessage>>
  /** Whether messages are pieces of a stream: one may be cut, and another may stand behind it. */
  readonly isStream: boolean
  /** What follows the first message in the same protocol. */
  readonly behind: WireMessage
  /** How a bad credential is answered ahead of the Close, and a good one that may not be here. */
  readonly refused: { readonly unauthenticated?: WireMessage; readonly forbidden?: WireMessage }
  /** With what code the Close comes then. */
  readonly closes: { readonly unauthenticated: number; readonly forbidden: number; readonly timeout: number }
  /** A message that renews; absent: the protocol has none. */
  readonly again?: (credential: string) => WireMessage
}

const credentials = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 300,
})

/** Bytes that say which of the two it was. */
const shown = (message: WireMessage): string =>
  typeof message === 'string' ? `text ${message}` : `bytes ${Buffer.from(message).toString('latin1')}`

const joined = (first: WireMessage, second: WireMessage): WireMessage =>
  typeof first === 'string' ? first + String(second) : Buffer.concat([first, Buffer.from(second)])

const cut = (message: WireMessage, at: number): WireMessage[] => [message.slice(0, at), message.slice(at)]

/** What every dialect keeps to. */
export function dialectContract(name: string, fixture: DialectFixture): void {
  const { dialect, hello, bare, mayLackIt, broken, others, isStream, behind, refused, closes, again } = fixture
  const hear = (...messages: WireMessage[]): Heard => {
    const conversation = converseIn(dialect)
    return messages.map((message) => conversation.hear(message)).at(-1)
  }

  describe(`${name}: what it reads`, () => {
    it('finds exactly the credential, and leaves the message without it to the application', () => {
      fc.assert(
        fc.property(credentials, (credential) => {
          const heard = hear(hello(credential))
          expect(heard).toMatchObject({ credential })
          const rest = typeof heard === 'object' ? heard.rest : []
          expect(rest.map(shown)).toEqual(bare === undefined ? [] : [shown(bare)])
        }),
      )
    })

    it('tells one that lacks it from all others', () => {
      expect(hear(hello(''))).toBe(mayLackIt ? 'absent' : 'malformed')
    })

    it.each(Object.keys(broken))('calls it malformed: %s', (which) => {
      expect(hear(broken[which]!)).toBe('malformed')
    })

    it.each(Object.keys(others))('waits for it: %s', (which) => {
      expect(hear(others[which]!)).toBeUndefined()
      if (!isStream) expect(hear(others[which]!, hello('good-ada'))).toMatchObject({ credential: 'good-ada' })
    })

    it(`reads a message in two pieces ${isStream ? 'as one' : 'as none'}, wherever it was cut`, () => {
      const whole = hello('good-ada')
      for (let at = 1; at < whole.length; at += 1) {
        const [first, second] = cut(whole, at)
        if (isStream) {
          expect(hear(first!)).toBeUndefined()
          expect(hear(first!, second!)).toEqual(hear(whole))
        } else expect(hear(first!, second!)).not.toMatchObject({ credential: 'good-ada' })
      }
    })

    if (isStream) {
      it('reads it one byte at a time, and keeps what came with it', () => {
        const whole = joined(hello('good-ada'), behind)
        const bytes = Array.from({ length: whole.length }, (_, at) => whole.slice(at, at + 1))
        expect(hear(...bytes.slice(0, hello('good-ada').length))).toMatchObject({ credential: 'good-ada' })
        const heard = hear(whole)
        const rest = typeof heard === 'object' ? heard.rest : []
        expect(rest.map(shown)).toEqual([shown(joined(bare!, behind))])
      })
    }

    it('remembers nothing of another conversation', () => {
      const [one, other] = [converseIn(dialect), converseIn(dialect)]
      const [first, second] = cut(hello('good-ada'), 4)
      one.hear(first!)
      expect(other.hear(second!)).not.toMatchObject({ credential: 'good-ada' })
      expect(converseIn(dialect).hear(hello('good-ada'))).toMatchObject({ credential: 'good-ada' })
    })

    it('D42 answers whatever comes, and never throws', () => {
      const anyMessage = fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.uint8Array(),
        // A good one with a few of its bytes changed, or cut off.
        fc
          .record({
            at: fc.nat(),
            byte: fc.integer({ min: 0, max: 255 }),
            length: fc.nat({ max: 400 }),
            more: fc.uint8Array(),
          })
          .map(({ at, byte, length, more }) => {
            const good = hello('good-ada')
            const bytes = Buffer.from(good)
            bytes[at % bytes.length] = byte
            const damaged = Buffer.concat([bytes.subarray(0, length), more])
            return typeof good === 'string' ? damaged.toString() : damaged
          }),
      )
      fc.assert(
        fc.property(fc.array(anyMessage, { minLength: 1, maxLength: 4 }), (messages) => {
          const conversation = converseIn(dialect)
          for (const message of messages) {
            for (const heard of [conversation.hear(message), conversation.hearAgain?.(message)]) {
              if (typeof heard === 'object') {
                expect(heard.credential).toBeTypeOf('string')
                expect(heard.credential).not.toBe('')
              } else expect(['absent', 'malformed', undefined]).toContain(heard)
            }
            for (const code of ['unauthenticated', 'forbidden', 'badRequest'] as const) {
              conversation.say({ type: 'refused', code })
            }
          }
        }),
        { numRuns: 500 },
      )
    })

    it('D42 is done at once with what is deep or long', () => {
      const floods = [
        '[',
        '{"a":',
        '{"type":"connection_init","payload":',
        'CONNECT\n',
        '\r\n',
        'passcode:',
        '\u0010',
        '\u0002\u0000',
      ]
      for (const flood of floods) {
        const text = flood.repeat(Math.ceil(17_408 / flood.length))
        for (const message of [text, Buffer.from(text), joined(hello('good-ada'), text)]) hear(message)
      }
    })
  })

  describe(`${name}: how it speaks`, () => {
    it('closes with codes that can be sent', () => {
      expect(() => checkDialect('test', dialect)).not.toThrow()
    })

    it.each(['unauthenticated', 'forbidden'] as const)(
      'says %s as the protocol does, and never the credential',
      (code) => {
        const conversation = converseIn(dialect)
        conversation.hear(hello('good-secret'))
        const said = conversation.say({ type: 'refused', code })
        expect(said && shown(said)).toEqual(refused[code] && shown(refused[code]))
        if (said !== undefined) expect(shown(said)).not.toContain('secret')
      },
    )

    it('says no more than its protocol can before anything was heard', () => {
      const conversation = converseIn(dialect)
      expect(() => conversation.say({ type: 'refused', code: 'unauthenticated' })).not.toThrow()
    })
  })

  describe(`${name}: on a socket`, () => {
    async function start(verify = verifyGood) {
      const clock = testClock()
      const guard = createGuard({ clock, accept: [header({ verify }), firstMessage({ verify })] })
      const events: string[] = []
      guard.subscribe((event) => events.push(inspect(event, { depth: 10, showHidden: true })))
      const seen: string[] = []
      const { url } = await startServer(
        guard,
        (socket, { identity }) => {
          seen.push(identity.id)
          socket.on('message', (data, isBinary) => {
            seen.push(shown(isBinary ? (data as Buffer) : String(data)))
            socket.emit('seen')
          })
          socket.send('open')
        },
        { dialect, admit: ({ id }) => !id.startsWith('eve') },
      )
      return { clock, guard, seen, events, url }
    }
    const asBytes = (message: WireMessage) => (typeof message === 'string' ? message : Buffer.from(message))
    /** Opens a socket, and waits until the server has answered a ping: what was sent before has been read. */
    async function open(url: string, options: object = {}) {
      const client = await Client.open(url, options)
      const settle = async () => {
        client.socket.ping()
        await once(client.socket, 'pong')
      }
      return { client, settle, say: (message: WireMessage) => client.send(asBytes(message)) }
    }

    it('delivers what the application is to see, and what follows, once and in order, after the accept', async () => {
      const { verify, asked, release } = held()
      const { url, seen } = await start(verify)
      const { client, say, settle } = await open(url)
      say(hello('good-ada'))
      await asked
      say(behind)
      await settle()
      expect(seen).toEqual([])
      release()
      const texts = [await client.text()]
      if (texts[0] !== 'open') texts.push(await client.text())
      expect(texts.at(-1)).toBe('open')
      say(behind)
      await settle()
      expect(seen).toEqual(['ada', ...(bare === undefined ? [] : [shown(bare)]), shown(behind), shown(behind)])
      expect(seen.join()).not.toContain('good-ada')
    })

    it.each([
      ['bad', 'unauthenticated'],
      ['good-eve', 'forbidden'],
    ] as const)('refuses %s in its words, then closes; the application sees nothing', async (credential, code) => {
      const { url, seen } = await start()
      const { client, say } = await open(url)
      say(hello(credential))
      say(behind)
      expect((await client.closed).code).toBe(closes[code])
      const words = refused[code]
      expect(client.waiting).toBe(words === undefined ? 0 : 1)
      if (words !== undefined) expect(await client.next()).toEqual(Buffer.from(words))
      expect(seen).toEqual([])
    })

    it.each(['good-canary', 'bad-canary', 'good-eve-canary'])(
      'D43 tells nobody of the credential %s',
      async (credential) => {
        const { url, seen, events } = await start()
        const { client, say, settle } = await open(url)
        say(hello(credential))
        if (credential === 'good-canary') {
          await settle()
          expect(seen[0]).toBe('canary')
        } else await client.closed
        expect(events).toHaveLength(1)
        const told = [...seen, ...events]
        while (client.waiting > 0) told.push(String(await client.next()))
        expect(told.join()).not.toContain(credential)
      },
    )

    it('refuses one that lacks the credential, at once', async () => {
      const { url, seen } = await start()
      const { client, say } = await open(url)
      say(hello(''))
      expect((await client.closed).code).toBe(mayLackIt ? closes.unauthenticated : 1008)
      expect(seen).toEqual([])
    })

    it('D42 waits for it as long as for any other, however many others come, and no byte longer', async () => {
      const { url, clock, seen } = await start()
      const [slow, wordy, good] = [await open(url), await open(url), await open(url)]
      const first = cut(hello('good-ada'), 4)[0]!
      for (const { say } of [slow, wordy]) say(isStream ? first : behind)
      await slow.settle()
      await wordy.settle()
      for (let i = 0; i < 20; i += 1)
        wordy.say(typeof first === 'string' ? 'x'.repeat(1_000) : Buffer.alloc(1_000, 0xff))
      expect([1008, 1009]).toContain((await wordy.client.closed).code)
      clock.advance(4_999)
      await slow.settle()
      good.say(hello('good-ada'))
      await good.client.text()
      clock.advance(1)
      expect(await slow.client.closed).toMatchObject({ code: closes.timeout, reason: 'Authentication timeout' })
      expect(seen[0]).toBe('ada')
      expect(seen.filter((line) => line === 'ada')).toHaveLength(1)
    })

    it('takes nothing from who came in by another way', async () => {
      const { url, seen } = await start()
      const { client, say, settle } = await open(url, { headers: { Authorization: 'Bearer good-ada' } })
      expect(await client.text()).toBe('open')
      say(hello('good-bob'))
      await settle()
      expect(seen).toEqual(['ada', shown(hello('good-bob'))])
    })

    if (again) {
      it('renews in its own words, and what is behind it waits', async () => {
        const { url, seen, guard, clock } = await start()
        const { client, say, settle } = await open(url)
        say(hello('good-ada'))
        while ((await client.text()) !== 'open');
        seen.length = 0
        clock.advance(30_000)
        say(again('good-ada'))
        say(behind)
        await settle()
        expect([...guard.connections].map(({ expiresAt }) => expiresAt)).toEqual([clock.now() + 60_000])
        expect(seen).toEqual([...(bare === undefined ? [] : [shown(bare)]), shown(behind)])
      })

      it('keeps what it had when the newer credential is bad, and the application does not see that', async () => {
        const { url, seen, guard } = await start()
        const { client, say, settle } = await open(url)
        say(hello('good-ada'))
        while ((await client.text()) !== 'open');
        seen.length = 0
        say(again('bad'))
        say(behind)
        expect(await client.next()).toEqual(Buffer.from(refused.unauthenticated!))
        await settle()
        expect(guard.connections.size).toBe(1)
        expect(seen).toEqual([shown(behind)])
      })

      it('F07 ends it for another identity', async () => {
        const { url, seen } = await start()
        const { client, say } = await open(url)
        say(hello('good-ada'))
        while ((await client.text()) !== 'open');
        say(again('good-bob'))
        expect((await client.closed).code).toBe(closes.forbidden)
        expect(seen.join()).not.toContain('bob')
      })
    } else {
      it('has no message that renews: later ones are the application’s', async () => {
        const { url, seen } = await start()
        const { client, say, settle } = await open(url)
        say(hello('good-ada'))
        expect(await client.text()).toBe('open')
        seen.length = 0
        say(hello('good-ada'))
        await settle()
        expect(seen).toEqual([shown(hello('good-ada'))])
        expect(converseIn(dialect).hearAgain).toBeUndefined()
      })
    }
  })

  describe(`${name}: without firstMessage()`, () => {
    it('hides nothing', async () => {
      const guard = createGuard({ accept: [header({ verify: verifyGood })] })
      const seen: string[] = []
      const { url } = await startServer(
        guard,
        (socket) =>
          socket.on('message', (data, isBinary) => {
            seen.push(shown(isBinary ? (data as Buffer) : String(data)))
            socket.send('seen')
          }),
        { dialect },
      )
      const client = await Client.open(url, { headers: { Authorization: 'Bearer good-ada' } })
      const message = hello('good-ada')
      client.send(typeof message === 'string' ? message : Buffer.from(message))
      await client.next()
      expect(seen).toEqual([shown(message)])
    })
  })
}
