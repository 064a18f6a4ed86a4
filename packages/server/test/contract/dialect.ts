import type { Dialect, Heard, WireMessage } from '@sallyport/server'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkDialect } from '../../src/dialects/dialect.js'
import { converseIn } from '../../src/dialects/plain.js'
import { shown } from './dialect-scene.js'

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

const joined = (first: WireMessage, second: WireMessage): WireMessage =>
  typeof first === 'string' ? first + String(second) : Buffer.concat([first, Buffer.from(second)])

/** A message in two pieces. */
export const cut = (message: WireMessage, at: number): WireMessage[] => [message.slice(0, at), message.slice(at)]

/** What every dialect keeps to, without a socket. */
export function dialectContract(name: string, fixture: DialectFixture): void {
  const { dialect, hello, bare, mayLackIt, broken, others, isStream, behind, refused, again } = fixture
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

    if (again) {
      it('goes on with who was accepted where it stopped, by no more than its memory', () => {
        const talk = converseIn(dialect)
        talk.hear(hello('good-secret'))
        const next = converseIn(dialect, talk.memory)
        for (const news of [
          { type: 'refused', code: 'unauthenticated' },
          { type: 'expiring', expiresIn: 5 },
        ] as const) {
          expect(next.say(news)).toEqual(talk.say(news))
        }
        expect(next.hearAgain?.(again('good-ada'))).toEqual(talk.hearAgain?.(again('good-ada')))
        expect(talk.memory ?? '').not.toContain('secret')
      })
    }

    it('says no more than its protocol can before anything was heard', () => {
      const conversation = converseIn(dialect)
      expect(() => conversation.say({ type: 'refused', code: 'unauthenticated' })).not.toThrow()
    })
  })
}
