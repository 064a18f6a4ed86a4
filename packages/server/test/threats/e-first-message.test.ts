import { once } from 'node:events'
import type { Socket } from 'node:net'
import { inspect } from 'node:util'
import {
  createGuard,
  firstMessage,
  type GuardEvent,
  type Identity,
  type Limits,
  rejected,
  UnavailableError,
  type Verifier,
} from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { testClock } from '../support/clock.js'
import { origin, verifyGood } from '../support/guard.js'
import { held } from '../support/held.js'
import { RawClient, rawFrame, rawHandshake, rawOpen } from '../support/raw.js'
import { startServer } from '../support/server.js'

const auth = (token: string, more: object = {}) => JSON.stringify({ type: 'auth', token, ...more })
const authFail = '{"type":"auth_fail"}'
const failed = { code: 4001, reason: 'Authentication failed' }
const late = { code: 4001, reason: 'Authentication timeout' }
const tooLarge = { code: 1009, reason: 'Credential too large' }

/** A server that takes first messages only, and keeps what its application gets to see. */
async function start({
  verify = verifyGood,
  limits = {},
  ...bounds
}: Partial<Parameters<typeof firstMessage<Identity>>[0]> & { readonly limits?: Partial<Limits> } = {}) {
  const clock = testClock()
  const guard = createGuard({ accept: [firstMessage({ verify, ...bounds })], protocols: ['app.v1'], clock, limits })
  const events: GuardEvent[] = []
  guard.subscribe((event) => events.push(event))
  const seen: string[] = []
  const webSocketServer = new WebSocketServer({ noServer: true })
  const server = await startServer(
    guard,
    (socket, { identity }) => {
      seen.push(`handler ${identity.id}`)
      socket.on('message', (data) => {
        seen.push(String(data))
        socket.send(`echo ${data}`)
      })
    },
    { webSocketServer },
  )
  /** A socket between the doors, the deadline running. */
  const pend = async (): Promise<RawClient> => {
    const { client, head } = await rawOpen(server.port, '/ws', { Origin: origin })
    expect(head.status).toBe(101)
    return client
  }
  /** The positive control: whatever happened, a good client is served. */
  const control = async (): Promise<void> => {
    const client = await pend()
    client.write(Buffer.concat([rawFrame(auth('good-control')), rawFrame('control')]))
    const [ok = '', ...texts] = await client.textsUntil(2)
    expect(JSON.parse(ok)).toMatchObject({ type: 'auth_ok', userId: 'control' })
    expect(texts).toEqual(['echo control'])
  }
  const reasons = () => events.flatMap((event) => (event.type === 'refused' ? [event.reason] : []))
  return { ...server, guard, clock, events, reasons, seen, webSocketServer, pend, control }
}

/** Cuts a text message into frames of one byte, the last of which ends the message. */
const dribble = (text: string): Buffer[] =>
  [...Buffer.from(text)].map((byte, i, all) =>
    rawFrame(Buffer.from([byte]), { opcode: i === 0 ? 1 : 0, fin: i === all.length - 1 }),
  )

const emptyFragment = rawFrame('', { opcode: 0, fin: false })

describe('E: first message', () => {
  it('E01 drops what the client sends before its credential', async () => {
    const { pend, seen, clock } = await start()
    const client = await pend()
    client.write(Buffer.concat([rawFrame('delete everything'), rawFrame('and more', { opcode: 2 })]))
    await client.ping()
    expect(client.texts()).toEqual([])
    clock.advance(5_000)
    expect(await client.closeFrame()).toEqual(late)
    expect(seen).toEqual([])

    const other = await pend()
    other.write(Buffer.concat([rawFrame('delete everything'), rawFrame(auth('good-ada')), rawFrame('echo me')]))
    expect((await other.textsUntil(2)).slice(1)).toEqual(['echo echo me'])
    expect(seen).toEqual(['handler ada', 'echo me'])
  })

  it.each([
    ['bad', [authFail], []],
    ['good-ada', [expect.stringContaining('auth_ok'), 'echo cmd', 'echo more'], ['handler ada', 'cmd', 'more']],
  ])('E02 runs nothing while the credential %s is verified', async (token, texts, expected) => {
    const { verify, asked, release } = held()
    const { pend, seen } = await start({ verify })
    const client = await pend()
    client.write(Buffer.concat([rawFrame(auth(token)), rawFrame('cmd')]))
    await asked
    client.write(rawFrame('more'))
    expect(seen).toEqual([])
    release()
    expect(await client.textsUntil(texts.length)).toEqual(texts)
    await client.ping()
    expect(client.isClosed).toBe(token === 'bad')
    expect(seen).toEqual(expected)
  })

  it('E02 keeps little of what follows the credential, and loses none of it', async () => {
    const { verify, asked, release } = held((credential) => ({ identity: { id: credential } }))
    const { port, server, seen } = await start({ verify })
    const connected = once(server, 'connection')
    const { client } = await rawOpen(port, '/ws')
    const [socket] = (await connected) as [Socket]
    client.write(rawFrame(auth('ada')))
    await asked
    const messages = Array.from({ length: 100 }, (_, i) => `${i} ${'x'.repeat(60_000)}`)
    for (const message of messages) client.write(rawFrame(message))
    // By the time the server has answered somebody else, it has had the time to read all that it wants.
    for (let i = 0; i < 10; i++) (await rawOpen(port, '/ws')).client.destroy()
    expect(socket.bytesRead).toBeLessThan(300_000)
    release()
    await client.textsUntil(messages.length + 1)
    expect(seen.slice(1)).toEqual(messages)
  })

  describe('E03 does not wait for ever', () => {
    it('E03 5 seconds for the silent', async () => {
      const { pend, clock, reasons, control } = await start()
      const client = await pend()
      clock.advance(4_999)
      await client.ping()
      expect(client.frames().map(({ opcode }) => opcode)).toEqual([10])
      clock.advance(1)
      expect(await client.closeFrame()).toEqual(late)
      expect(client.texts()).toEqual([])
      expect(reasons()).toEqual(['message-late'])
      await control()
    })

    it('E03 lets in who comes at the last millisecond', async () => {
      const { pend, clock, seen } = await start()
      const client = await pend()
      clock.advance(4_999)
      client.write(rawFrame(auth('good-ada')))
      await client.textsUntil(1)
      clock.advance(1)
      await client.ping()
      expect(seen).toEqual(['handler ada'])
    })

    it('E03 as long as it is told', async () => {
      const { pend, clock } = await start({ timeout: 200 })
      const client = await pend()
      clock.advance(199)
      await client.ping()
      expect(client.frames()).toHaveLength(1)
      clock.advance(1)
      expect(await client.closeFrame()).toEqual(late)
    })

    const traffic: [string, Buffer][] = [
      ['pings', rawFrame('', { opcode: 9 })],
      ['pongs', rawFrame('', { opcode: 10 })],
      ['messages', rawFrame('not yet')],
      ['binary messages', rawFrame('not yet', { opcode: 2 })],
    ]

    it.each(traffic)('E03 and %s do not extend it', async (_, frame) => {
      const { pend, clock } = await start()
      const client = await pend()
      for (let second = 0; second < 4; second++) {
        client.write(frame)
        await client.ping()
        clock.advance(1_000)
      }
      clock.advance(999)
      await client.ping()
      expect(client.isClosed).toBe(false)
      clock.advance(1)
      expect(await client.closeFrame()).toEqual(late)
    })

    it('E03 and empty fragments do not extend it', async () => {
      const { pend, clock } = await start()
      const client = await pend()
      client.write(rawFrame('', { fin: false }))
      for (let second = 0; second < 5; second++) {
        client.write(emptyFragment)
        await client.ping()
        clock.advance(1_000)
      }
      expect(await client.closeFrame()).toEqual(late)
    })

    it('E03 and whoever does not answer the Close is gone a second later', async () => {
      const { pend, clock, idle } = await start()
      const client = await pend()
      clock.advance(5_000)
      await client.closeFrame()
      clock.advance(1_000)
      await idle()
      expect(clock.pending).toBe(0)
    })
  })

  it('E04 counts the deadline from the 101, however the credential dribbles in', async () => {
    const { pend, clock, seen, control } = await start()
    const slow = await pend()
    const [quick, token] = [await pend(), dribble(auth('good-ada'))]
    for (const byte of token.slice(0, 10)) {
      slow.write(byte)
      await slow.ping()
      clock.advance(500)
    }
    expect(await slow.closeFrame()).toEqual(late)
    for (const byte of token.slice(10)) slow.write(byte)
    expect(await quick.closeFrame()).toEqual(late)
    expect(seen).toEqual([])

    const inTime = await pend()
    for (const byte of token) inTime.write(byte)
    expect(await inTime.textsUntil(1)).toHaveLength(1)
    expect(seen).toEqual(['handler ada'])
    await control()
  })

  describe('E05 takes a credential of 8 KiB at most before it accepts', () => {
    const ofSize = (bytes: number) => auth(`good-${'a'.repeat(bytes - 'good-'.length)}`)

    it.each<[string, number, string[]?]>([
      ['8 KiB', 8_192],
      ['a byte more', 8_193, [authFail]],
      ['9 KiB', 9_216, [authFail]],
      // More than a credential can need: nobody looks at what it is.
      ['100 KiB', 102_400, []],
    ])('E05 a credential of %s', async (_, bytes, refusal) => {
      const { pend, seen, reasons, control } = await start()
      const client = await pend()
      client.write(rawFrame(ofSize(bytes)))
      if (refusal) {
        expect(await client.closeFrame()).toEqual(tooLarge)
        expect(client.texts()).toEqual(refusal)
        expect(seen).toEqual([])
        expect(reasons()).toEqual(['credential-too-large'])
      } else {
        expect(await client.textsUntil(1)).toHaveLength(1)
      }
      await control()
    })

    it('E05 as much as it is told', async () => {
      const { pend } = await start({ limits: { credentialBytes: 100 } })
      const [small, large] = [await pend(), await pend()]
      small.write(rawFrame(ofSize(100)))
      large.write(rawFrame(ofSize(101)))
      expect(await small.textsUntil(1)).toHaveLength(1)
      expect(await large.closeFrame()).toEqual(tooLarge)
    })

    it('E05 and does not begin to take a frame of 100 MiB', async () => {
      const { pend, control } = await start()
      const client = await pend()
      client.write(Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0x06, 0x40, 0, 0, 0, 0, 0, 0]))
      client.write(Buffer.alloc(20_000, 'a'))
      expect((await client.closeFrame())?.code).toBe(1009)
      await control()
    })

    it('E05 also of what it drops, however it is cut', async () => {
      const { pend, seen, control } = await start()
      const [patient, flooding] = [await pend(), await pend()]
      for (let i = 0; i < 15; i++) {
        patient.write(rawFrame('x'.repeat(1_024)))
        await patient.ping()
      }
      patient.write(rawFrame(auth('good-ada')))
      expect(await patient.textsUntil(1)).toHaveLength(1)
      for (let i = 0; i < 20; i++) {
        flooding.write(rawFrame('x'.repeat(1_024)))
        await flooding.ping()
      }
      flooding.write(rawFrame(auth('good-eve')))
      expect(flooding.isClosed).toBe(true)
      expect(await flooding.closeFrame()).toEqual(tooLarge)
      expect(seen).toEqual(['handler ada'])
      await control()
    })

    it('E05 counts what comes in the segment of the handshake', async () => {
      const { port, control } = await start()
      const client = await RawClient.connect(port)
      client.write(
        Buffer.concat([Buffer.from(rawHandshake('/ws')), rawFrame('x'.repeat(16_000)), rawFrame('x'.repeat(4_000))]),
      )
      expect(await client.closeFrame()).toEqual(tooLarge)
      await control()
    })
  })

  describe('E06 is not upset by what is no message of ours', () => {
    const messages: [string, Buffer][] = [
      ['binary', rawFrame(auth('good-eve'), { opcode: 2 })],
      ['no JSON', rawFrame('{"type":"auth"')],
      ['empty', rawFrame('')],
      ['null', rawFrame('null')],
      ['an array', rawFrame('["auth"]')],
      ['a string', rawFrame('"auth"')],
      ['a number', rawFrame('1e999')],
      ['another type', rawFrame('{"type":"AUTH","token":"good-eve"}')],
      ['a type that is no string', rawFrame('{"type":["auth"],"token":"good-eve"}')],
      ['nested deeply', rawFrame('['.repeat(4_000))],
      ['nested deeply and well-formed', rawFrame(`${'{"a":'.repeat(1_300)}1${'}'.repeat(1_300)}`)],
      ['a prototype', rawFrame('{"__proto__":{"type":"auth","token":"good-eve"}}')],
    ]

    it.each(messages)('E06 %s: drops it', async (_, frame) => {
      const { pend, seen } = await start()
      const client = await pend()
      client.write(Buffer.concat([frame, rawFrame(auth('good-ada')), rawFrame('cmd')]))
      expect((await client.textsUntil(2)).slice(1)).toEqual(['echo cmd'])
      expect(seen).toEqual(['handler ada', 'cmd'])
    })

    it.each([
      ['text that is not UTF-8', rawFrame(Buffer.from([0xff, 0xfe])), 1007],
      ['an unknown opcode', rawFrame('', { opcode: 3 }), 1002],
      ['a fragment of nothing', rawFrame('', { opcode: 0 }), 1002],
      ['an unmasked frame', Buffer.from([0x81, 0x00]), 1002],
      ['a fragmented ping', rawFrame('', { opcode: 9, fin: false }), 1002],
    ])('E06 %s: closes', async (_, frame, code) => {
      const { pend, seen, control } = await start()
      const client = await pend()
      client.write(Buffer.concat([frame, rawFrame(auth('good-ada'))]))
      expect((await client.closeFrame())?.code).toBe(code)
      expect(seen).toEqual([])
      await control()
    })
  })

  it.each([
    ['the token twice', '{"type":"auth","token":"good-ada","token":"good-eve"}'],
    ['the type twice', '{"type":"auth","type":"auth","token":"good-eve"}'],
    ['a key escaped and again', '{"type":"auth","tok\\u0065n":"good-ada","token":"good-eve"}'],
    ['a key too many', auth('good-eve', { role: 'admin' })],
    ['a prototype', '{"type":"auth","token":"good-eve","__proto__":{"admin":true}}'],
    ['no token', '{"type":"auth"}'],
    ['an empty token', auth('')],
    ['a token that is no string', '{"type":"auth","token":["good-eve"]}'],
  ])('E07 refuses an auth frame with %s', async (_, frame) => {
    const { pend, seen, reasons, control } = await start()
    const client = await pend()
    client.write(rawFrame(frame))
    expect(await client.closeFrame()).toEqual({ code: 1008, reason: 'Bad request' })
    expect(client.texts()).toEqual([authFail])
    expect(reasons()).toEqual(['credential-malformed'])
    expect(seen).toEqual([])
    await control()
  })

  it('E07 takes the keys in either order, and white space', async () => {
    const { pend, seen } = await start()
    const client = await pend()
    client.write(rawFrame(' {\n"token" : "good-ada", "type":"auth"}\t'))
    await client.textsUntil(1)
    expect(seen).toEqual(['handler ada'])
  })

  describe('E08 never changes who a connection is', () => {
    async function accept(options: Parameters<typeof start>[0] = {}) {
      const started = await start(options)
      const client = await started.pend()
      client.write(rawFrame(auth('good-ada')))
      const [ok = ''] = await client.textsUntil(1)
      return { ...started, client, id: JSON.parse(ok).connection as string }
    }

    it('E08 renews it for the same identity', async () => {
      const { client, guard, seen, id, events, clock } = await accept()
      // Before half of its time it is not told of its end.
      clock.advance(29_000)
      client.write(Buffer.concat([rawFrame(auth('good-ada')), rawFrame('cmd')]))
      const texts = await client.textsUntil(3)
      expect(JSON.parse(texts.find((text, i) => i > 0 && text.startsWith('{'))!)).toEqual({
        type: 'auth_ok',
        userId: 'ada',
        connection: id,
        expiresIn: 60,
      })
      expect(guard.connections.get(id)?.expiresAt).toBe(clock.now() + 60_000)
      expect(events.at(-1)).toMatchObject({ type: 'renewed', connection: { id } })
      expect(seen).toEqual(['handler ada', 'cmd'])
    })

    it('E08 closes it for another identity, and lets nothing through behind', async () => {
      const { client, guard, seen, events } = await accept()
      client.write(Buffer.concat([rawFrame(auth('good-eve'))]))
      expect(await client.closeFrame()).toEqual({ code: 4003, reason: 'Forbidden' })
      client.write(rawFrame('cmd'))
      client.write(rawFrame(Buffer.from([0x0f, 0xa3]), { opcode: 8 }))
      await client.gone()
      expect(guard.connections.size).toBe(0)
      expect(seen).toEqual(['handler ada'])
      expect(events.filter(({ type }) => type === 'accepted')).toHaveLength(1)
    })

    it.each([
      ['issuer', { issuer: 'https://evil.example' }],
      ['tenant', { tenant: 'evil' }],
    ])('E08 closes it for the same id of another %s', async (_, other) => {
      const { client } = await accept({
        verify: (credential) => ({ identity: { id: 'ada', ...(credential === 'good-ada' ? {} : other) } }),
      })
      client.write(rawFrame(auth('good-ada')))
      expect(await client.textsUntil(2)).toHaveLength(2)
      client.write(rawFrame(auth('other')))
      expect((await client.closeFrame())?.code).toBe(4003)
    })

    it('E08 keeps it when the new credential is bad, with what it had', async () => {
      const { client, guard, seen, id, clock } = await accept()
      const { expiresAt } = guard.connections.get(id)!
      clock.advance(1_000)
      client.write(rawFrame(auth('bad')))
      expect((await client.textsUntil(2))[1]).toBe(authFail)
      client.write(rawFrame('cmd'))
      expect((await client.textsUntil(3))[2]).toBe('echo cmd')
      expect(guard.connections.get(id)?.expiresAt).toBe(expiresAt)
      expect(seen).toEqual(['handler ada', 'cmd'])
    })

    it('E08 does not call the new credential bad when it could not be looked at', async () => {
      const { client, guard, id } = await accept({
        verify: (credential, context) => {
          if (credential === 'good-ada') return verifyGood(credential, context)
          throw new UnavailableError('down')
        },
      })
      client.write(rawFrame(auth('good-new')))
      client.write(rawFrame('cmd'))
      await client.textsUntil(2)
      await client.ping()
      expect(client.texts()).not.toContain(authFail)
      expect(guard.connections.get(id)).toBeDefined()
    })

    it.each([
      ['plain', auth('good-ada')],
      ['with white space', ' { "type" : "auth" , "token" : "good-ada" } '],
      ['in the other order', '{"token":"good-ada","type":"auth"}'],
      ['malformed', auth('good-ada', { extra: 1 })],
    ])('E08 shows no auth frame to the application: %s', async (_, frame) => {
      const { client, seen } = await accept()
      client.write(Buffer.concat([rawFrame(frame), rawFrame('cmd')]))
      await client.until(() => client.texts().includes('echo cmd'))
      expect(seen).toEqual(['handler ada', 'cmd'])
    })

    it.each([
      ['plain', auth('good-ada')],
      ['escaped', '{"type":"\\u0061uth","token":"good-ada"}'],
      ['escaped in its key', '{"typ\\u0065":"auth","token":"good-ada"}'],
    ])('E08 takes for a renewal exactly what it takes for a first message: %s', async (_, frame) => {
      const { client, pend, seen } = await accept()
      const other = await pend()
      other.write(rawFrame(frame))
      await other.ping()
      const isAuth = other.texts().length > 0
      client.write(Buffer.concat([rawFrame(frame), rawFrame('cmd')]))
      await client.until(() => client.texts().includes('echo cmd'))
      expect(seen.includes(frame)).toBe(!isAuth)
    })

    it('E08 leaves to the application what only looks like one', async () => {
      const { client, seen } = await accept()
      const lookalikes = ['"auth"', '{"type":"author","by":"auth"}', '["type","auth"]', '{"auth":"auth"}']
      client.write(Buffer.concat(lookalikes.map((text) => rawFrame(text))))
      await client.textsUntil(5)
      expect(seen.slice(1)).toEqual(lookalikes)
    })

    it('E08 verifies one renewal at a time', async () => {
      const again = held()
      let first = true
      const { client } = await accept({
        verify: (credential, context) => {
          if (!first) return again.verify(credential, context)
          first = false
          return verifyGood(credential, context)
        },
      })
      client.write(Buffer.concat([rawFrame(auth('good-ada')), rawFrame(auth('good-ada')), rawFrame(auth('good-ada'))]))
      await again.asked
      await client.ping()
      expect(again.calls).toBe(1)
      again.release()
      await client.textsUntil(2)
      client.write(rawFrame(auth('good-ada')))
      await client.textsUntil(3)
      expect(again.calls).toBe(2)
    })
  })

  it('E09 sends nothing to a socket between the doors', async () => {
    const { verify, asked, release } = held()
    const { pend, webSocketServer, guard } = await start({ verify })
    const [silent, verifying] = [await pend(), await pend()]
    const broadcast = (text: string) => {
      for (const client of webSocketServer.clients) client.send(text)
    }
    verifying.write(rawFrame(auth('good-ada')))
    await asked
    broadcast('secret')
    expect([...guard.connections]).toEqual([])
    await silent.ping()
    expect(silent.texts()).toEqual([])
    release()
    await verifying.textsUntil(1)
    broadcast('public')
    const [first = '', ...rest] = await verifying.textsUntil(2)
    expect(JSON.parse(first)).toMatchObject({ type: 'auth_ok' })
    expect(rest).toEqual(['public'])
    await silent.ping()
    expect(silent.texts()).toEqual([])
  })

  it('E10 takes one guess, however many come', async () => {
    let calls = 0
    const { pend, seen } = await start({
      verify: (credential, context) => {
        calls++
        return verifyGood(credential, context)
      },
    })
    const client = await pend()
    client.write(Buffer.concat(['bad-1', 'bad-2', 'good-ada'].map((token) => rawFrame(auth(token)))))
    expect(await client.closeFrame()).toEqual(failed)
    expect(client.texts()).toEqual([authFail])
    expect(calls).toBe(1)
    expect(seen).toEqual([])
    const other = await pend()
    other.write(rawFrame(auth('good-ada')))
    await other.textsUntil(1)
    expect(seen).toEqual(['handler ada'])
  })

  it('E10 counts guesses over many sockets, and keeps nobody out who has a good credential', async () => {
    const { pend, control, reasons } = await start()
    const guess = async (token: string) => {
      const client = await pend()
      client.write(rawFrame(auth(token)))
      const close = await client.closeFrame()
      client.destroy()
      return close?.code
    }
    for (let i = 0; i < 10; i++) expect(await guess(`bad-${i}`)).toBe(4001)
    expect(await guess('bad-10')).toBe(4029)
    expect(reasons().at(-1)).toBe('attempts')
    await control()
  })

  describe('E11 forgets a verification that comes too late', () => {
    it.each<[string, (client: RawClient) => void]>([
      ['reset the connection', (client) => client.socket.resetAndDestroy()],
      ['left', (client) => client.destroy()],
      ['said that it ends', (client) => client.socket.end()],
    ])('E11 for a client that %s', async (_, leave) => {
      const { verify, asked, release } = held()
      const { pend, guard, seen, events, idle, clock } = await start({ verify })
      const client = await pend()
      client.write(rawFrame(auth('good-ada')))
      await asked
      leave(client)
      await idle()
      release()
      const control = await pend()
      control.write(rawFrame(auth('good-eve')))
      await control.textsUntil(1)
      expect(seen).toEqual(['handler eve'])
      expect([...guard.connections].map(({ identity }) => identity.id)).toEqual(['eve'])
      expect(events.filter(({ type }) => type === 'accepted')).toHaveLength(1)
      // One timer of the deadlines, and one of the heartbeat.
      expect(clock.pending).toBe(2)
    })

    it.each<[string, (client: RawClient, close: Buffer) => Promise<void>]>([
      [
        'in the same segment',
        async (client, close) => {
          client.write(Buffer.concat([rawFrame(auth('good-ada')), close]))
        },
      ],
      [
        'later',
        async (client, close) => {
          client.write(rawFrame(auth('good-ada')))
          client.write(close)
        },
      ],
    ])('E11 for a client that sent Close %s', async (_, send) => {
      const { verify, asked, release } = held()
      const { pend, guard, seen, idle, clock } = await start({ verify })
      const client = await pend()
      await send(client, rawFrame(Buffer.from([0x03, 0xe8]), { opcode: 8 }))
      await asked
      const control = await pend()
      release()
      expect(await client.closeFrame()).toMatchObject({ code: 1000 })
      client.destroy()
      control.destroy()
      await idle()
      expect(guard.connections.size).toBe(0)
      expect(seen).toEqual([])
      expect(clock.pending).toBe(0)
    })

    it('E11 and closes with 1013 when it takes longer than it may', async () => {
      const { verify, asked, release } = held()
      const { pend, guard, seen, clock, reasons } = await start({ verify })
      const client = await pend()
      client.write(rawFrame(auth('good-ada')))
      await asked
      clock.advance(5_000)
      expect(await client.closeFrame()).toEqual({ code: 1013, reason: 'Temporarily unavailable' })
      release()
      await pend()
      expect(client.texts()).toEqual([])
      expect(guard.connections.size).toBe(0)
      expect(seen).toEqual([])
      expect(reasons()).toEqual(['dependency-unavailable'])
    })
  })

  it.each<[string, Verifier<Identity>, { code: number; reason: string }, string[]]>([
    ['refuses it', () => rejected('credential-unknown'), failed, [authFail]],
    ['finds it bound elsewhere', () => rejected('ticket-binding'), { code: 4003, reason: 'Forbidden' }, [authFail]],
    [
      'is down',
      (credential) => {
        throw new UnavailableError(credential)
      },
      { code: 1013, reason: 'Temporarily unavailable' },
      [],
    ],
    [
      'throws it',
      (credential) => {
        throw new Error(credential)
      },
      { code: 1011, reason: 'Internal error' },
      [],
    ],
    ['answers nonsense', () => ({ identity: { id: 7 } }) as never, { code: 1011, reason: 'Internal error' }, []],
    ['answers nothing', () => undefined as never, { code: 1011, reason: 'Internal error' }, []],
  ])('E12 closes with constant words when the verifier %s', async (_, verify, close, texts) => {
    const { pend, control } = await start({
      verify: (credential, context) => (credential === 'good-control' ? verifyGood : verify)(credential, context),
    })
    const client = await pend()
    client.write(rawFrame(auth(`canary${'%'.repeat(200)}`)))
    expect(await client.closeFrame()).toEqual(close)
    expect(client.texts()).toEqual(texts)
    await control()
  })

  describe('E13 is not flooded', () => {
    const floods: [string, Buffer][] = [
      ['pings', rawFrame('x'.repeat(100), { opcode: 9 })],
      ['empty pings', rawFrame('', { opcode: 9 })],
      ['pongs', rawFrame('x'.repeat(100), { opcode: 10 })],
      ['empty messages', rawFrame('')],
    ]

    it.each(floods)('E13 by %s, all at once', async (_, frame) => {
      const { pend, control } = await start()
      const client = await pend()
      client.write(Buffer.concat(Array.from({ length: 5_000 }, () => frame)))
      // Close, or the end without one: ws itself ends who sends pings and does not read the pongs.
      expect([tooLarge, undefined]).toContainEqual(await client.closeFrame())
      await control()
    })

    it.each(floods)('E13 by %s, one after the other', async (_, frame) => {
      const { pend, control } = await start()
      const client = await pend()
      for (let sent = 0; sent < 20_000 && !client.isClosed; sent += frame.length) {
        client.write(frame)
        await client.ping()
      }
      expect(client.isClosed).toBe(true)
      expect(await client.closeFrame()).toEqual(tooLarge)
      await control()
    })

    it('E13 by empty fragments', async () => {
      const { pend, control } = await start()
      const client = await pend()
      client.write(Buffer.concat([rawFrame('', { fin: false }), ...Array.from({ length: 5_000 }, () => emptyFragment)]))
      expect(await client.closeFrame()).toEqual(tooLarge)
      await control()
    })

    it('E13 and has room for a few', async () => {
      const { pend, seen } = await start()
      const client = await pend()
      client.write(Buffer.concat(Array.from({ length: 50 }, () => rawFrame('x'.repeat(100), { opcode: 9 }))))
      client.write(rawFrame(auth('good-ada')))
      await client.textsUntil(1)
      expect(seen).toEqual(['handler ada'])
    })
  })

  it.each([
    ['malformed', auth('canary', { extra: 'canary' })],
    ['duplicated', '{"type":"auth","token":"canary","token":"canary2"}'],
    ['bad', auth('canary')],
    ['large', auth('canary'.repeat(2_000))],
  ])('E14 says nothing of a credential that is %s', async (_, frame) => {
    const { pend, events, control } = await start()
    const client = await pend()
    client.write(rawFrame(frame))
    await client.closeFrame()
    expect((await client.until(() => true)).includes('canary')).toBe(false)
    expect(inspect(events, { depth: 10 })).not.toContain('canary')
    expect(events).toHaveLength(1)
    await control()
  })

  it('E15 says nothing at all before the credential', async () => {
    const { pend, port } = await start()
    const { head, client } = await rawOpen(port, '/ws', { 'Sec-WebSocket-Protocol': 'app.v1' })
    expect([...head.headers.keys()].sort()).toEqual([
      'connection',
      'sec-websocket-accept',
      'sec-websocket-protocol',
      'upgrade',
    ])
    await client.ping()
    expect(client.frames()).toHaveLength(1)
    const other = await pend()
    other.write(rawFrame(auth('good-ada')))
    expect(Object.keys(JSON.parse((await other.textsUntil(1))[0]!))).toEqual([
      'type',
      'userId',
      'connection',
      'expiresIn',
    ])
  })
})
