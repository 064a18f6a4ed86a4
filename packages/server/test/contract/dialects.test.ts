import { graphqlWs, hocuspocus, mqtt, stomp, trpc, yjs } from '@sallyport/server'
import fc from 'fast-check'
import { type IConnectPacket, parser } from 'mqtt-packet'
import { describe, expect, it } from 'vitest'
import { checkDialect } from '../../src/dialects/dialect.js'
import { converseIn } from '../../src/dialects/plain.js'
import { nextTurn } from '../support/deferred.js'
import { connect, fixtures, json, stompFrame, tokenOf, withoutName, written } from '../support/dialects.js'
import { startServer } from '../support/server.js'
import { dialectContract } from './dialect.js'
import { admit, controlBy, DialectScene, type StartDialect } from './dialect-scene.js'
import { dialectOnSocket } from './dialect-socket.js'

const startDialect: StartDialect = async (setting) => {
  const scene = new DialectScene(setting)
  const { port } = await startServer(
    scene.guard,
    (socket, { identity }) => {
      socket.on('message', (data, isBinary) => scene.take(isBinary ? (data as Buffer) : String(data)))
      scene.enter(identity, (text) => socket.send(text))
    },
    { dialect: scene.dialect, admit },
  )
  const control = controlBy(async (call) => {
    await nextTurn()
    return scene.answer(call)
  })
  return { port, path: '/ws', ...control }
}

for (const [name, fixture] of Object.entries(fixtures)) {
  dialectContract(name, fixture)
  dialectOnSocket(name, fixture, startDialect)
}

describe('the name of the credential', () => {
  const named = (dialect: typeof stomp, parameter: string) => converseIn({ ...dialect, parameter })

  it.each([
    [graphqlWs, { type: 'connection_init' }, 'payload'],
    [trpc, { method: 'connectionParams' }, 'data'],
  ])('is the application’s to say', (dialect, is, where) => {
    const message = json({ ...is, [where]: { token: 'other', authToken: 'good-ada' } })
    expect(named(dialect, 'authToken').hear(message)).toEqual({
      credential: 'good-ada',
      rest: [json({ ...is, [where]: { token: 'other' } })],
    })
    const scheme = json({ ...is, [where]: { Authorization: 'Bearer good-ada' } })
    expect(named(dialect, 'Authorization').hear(scheme)).toMatchObject({ credential: 'good-ada' })
    expect(named(dialect, '__proto__').hear(scheme)).toBe('absent')
    expect(named(dialect, 'toString').hear(scheme)).toBe('absent')
  })

  it('is the application’s to say in STOMP', () => {
    const message = stompFrame('STOMP', ['login:ada', 'Authorization:Bearer good-ada'])
    expect(named(stomp, 'Authorization').hear(message)).toEqual({
      credential: 'good-ada',
      rest: [stompFrame('STOMP', ['login:ada'])],
    })
  })

  it.each(['', 7, null])('has to be one: %j', (parameter) => {
    expect(() => checkDialect('guardServer', { ...stomp, parameter: parameter as string })).toThrow(
      /guardServer: dialect has the parameter .* give the name of a field, such as token/,
    )
  })
})

it('reads a password without a user name, as MQTT 5 allows', () => {
  expect(converseIn(mqtt).hear(withoutName)).toMatchObject({ credential: 'good-ada' })
})

it('what MQTT gets in place of CONNECT is the same packet without its password, as another reader has it', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 })
  const wills = fc.record({
    topic: text.filter((topic) => topic !== ''),
    payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    qos: fc.constantFrom(0, 1, 2),
    retain: fc.boolean(),
  })
  const packets = fc.record({
    protocolVersion: fc.constantFrom(4, 5),
    clientId: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
    clean: fc.boolean(),
    keepalive: fc.integer({ min: 0, max: 65_535 }),
    username: text.filter((name) => name !== ''),
    will: fc.option(wills, { nil: undefined }),
  })
  const read = (bytes: Uint8Array) => {
    const packets: unknown[] = []
    const reader = parser()
    reader.on('packet', (packet) => packets.push(packet))
    reader.parse(Buffer.from(bytes))
    return packets
  }
  fc.assert(
    fc.property(packets, fc.string({ minLength: 1 }), ({ will, ...packet }, password) => {
      const options = {
        ...packet,
        ...(will && { will: will as NonNullable<IConnectPacket['will']> }),
      } as Partial<IConnectPacket>
      const heard = converseIn(mqtt).hear(connect({ ...options, password: Buffer.from(password) }))
      if (typeof heard !== 'object') throw new Error(`read as ${heard}`)
      expect(heard.credential).toBe(password)
      expect(heard.rest).toEqual([connect(options)])
      expect(read(heard.rest[0] as Uint8Array)).toMatchObject([{ cmd: 'connect', username: packet.username }])
    }),
  )
})

it('what comes twice in JSON is seen once, by us and by the application', () => {
  const text = '{"type":"connection_init","payload":{"token":"bad","token":"good-ada"},"payload":{"token":"good-ada"}}'
  expect(converseIn(graphqlWs).hear(text)).toEqual({
    credential: 'good-ada',
    rest: ['{"type":"connection_init","payload":{}}'],
  })
})

it('Yjs has no first message of its own: Sallyport’s frames hold', () => {
  expect(converseIn(yjs).hear('{"type":"auth","token":"good-ada"}')).toMatchObject({ credential: 'good-ada' })
})

it('hocuspocus asks for the token of the document that came last', () => {
  const conversation = converseIn(hocuspocus)
  conversation.hear(tokenOf('good-ada'))
  conversation.hearAgain?.(Buffer.concat([written('other'), Buffer.of(2, 0), written('good-ada')]))
  expect(conversation.say({ type: 'expiring', expiresIn: 5 })).toEqual(
    Buffer.concat([written('other'), Buffer.of(2, 0)]),
  )
})
