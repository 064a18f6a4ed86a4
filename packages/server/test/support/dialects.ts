import { graphqlWs, hocuspocus, mqtt, stomp, trpc } from '@sallyport/server'
import { generate, type IConnectPacket } from 'mqtt-packet'
import { plain } from '../../src/dialects/plain.js'
import type { DialectFixture } from '../contract/dialect.js'

export const json = JSON.stringify

const frames: DialectFixture = {
  dialect: plain,
  hello: (token) => json({ type: 'auth', token }),
  mayLackIt: false,
  broken: {
    'no token': '{"type":"auth"}',
    'a token that is null': '{"type":"auth","token":null}',
    'a token that is a number': '{"type":"auth","token":7}',
    'a token that is an object': '{"type":"auth","token":{"a":"b"}}',
    'a list of tokens': '{"type":"auth","token":["a","b"]}',
    'another key': '{"type":"auth","token":"abc","id":1}',
    'a prototype': '{"type":"auth","token":"abc","__proto__":{}}',
    'the type twice': '{"type":"auth","type":"auth","token":"abc"}',
    'the token twice': '{"type":"auth","token":"abc","token":"abc"}',
    'the key in upper case': '{"type":"auth","TOKEN":"abc"}',
  },
  others: {
    nothing: '',
    text: 'hello',
    'another type': '{"type":"chat","token":"abc"}',
    'no type': '{"token":"abc"}',
    'a list': '["auth"]',
    bytes: Buffer.from('{"type":"auth","token":"abc"}'),
  },
  isStream: false,
  behind: 'hello',
  refused: { unauthenticated: '{"type":"auth_fail"}', forbidden: '{"type":"auth_fail"}' },
  closes: { unauthenticated: 4001, forbidden: 4003, timeout: 4001 },
  again: (token) => json({ type: 'auth', token }),
}

const nonce = 'q2xJ0b3sT8K1nD4vYw7ZAg'
const fail = json({ type: 'auth_fail', nonce })
const framesWithNonce: DialectFixture = {
  ...frames,
  hello: (token) => json({ type: 'auth', token, nonce }),
  refused: { unauthenticated: fail, forbidden: fail },
  again: (token) => json({ type: 'auth', token, nonce }),
}

const canWrite = (text: string): boolean => {
  const value: unknown = JSON.parse(text)
  try {
    return json(value) === text
  } catch {
    return false
  }
}

/** Of the two protocols whose clients give parameters. */
const inParameters = (is: object, where: string): Pick<DialectFixture, 'hello' | 'bare' | 'broken' | 'others'> => {
  const say = (parameters: unknown) => json({ ...is, [where]: parameters })
  const deep = `${say({ token: 'abc' }).slice(0, -1)},"a":${'['.repeat(8_000)}${']'.repeat(8_000)}}`
  return {
    hello: (token) => say({ lang: 'en', ...(token && { token }) }),
    bare: say({ lang: 'en' }),
    broken: {
      'a token that is a number': say({ token: 7 }),
      'a token that is null': say({ token: null }),
      'a token that is an object': say({ token: { a: 'b' } }),
      'a list of tokens': say({ token: ['a', 'b'] }),
      // Newer engines write whatever they can read.
      ...(!canWrite(deep) && { 'deeper than it could be written again': deep }),
    },
    others: {
      nothing: '',
      text: 'hello',
      'a list': json([is]),
      'another message': json({ type: 'ping', method: 'query', [where]: { token: 'abc' } }),
      'half of one': '{"type":"connection_init","method":"connectionParams",',
      bytes: Buffer.from(say({ token: 'abc' })),
    },
  }
}

/** A CONNECT packet of MQTT 3.1.1, with some fields changed. */
export const connect = (changes: Partial<IConnectPacket> = {}): Buffer =>
  generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: 'one',
    clean: true,
    keepalive: 60,
    ...changes,
  })
const will = { topic: 'gone', payload: Buffer.from('one'), qos: 1, retain: false } as const
/** A packet with one byte changed. */
const changed = (packet: Buffer, at: number, byte: number) => Buffer.from(packet).fill(byte, at, at + 1)

const inMqtt = (changes: Partial<IConnectPacket>): Pick<DialectFixture, 'hello' | 'bare'> => ({
  hello: (token) => connect({ ...changes, username: 'ada', ...(token && { password: Buffer.from(token) }) }),
  bare: connect({ ...changes, username: 'ada' }),
})

/** MQTT 5 allows a password without a user name. */
export const withoutName = Buffer.from('\u0010\u0017\0\u0004MQTT\u0005\u0042\0\u003c\0\0\0\0\u0008good-ada')

const packets: Omit<DialectFixture, 'hello' | 'bare' | 'refused'> = {
  dialect: mqtt,
  mayLackIt: true,
  broken: {
    'a text': withoutName.toString(),
    'another packet': generate({ cmd: 'pingreq' }),
    'another packet before it': Buffer.concat([generate({ cmd: 'pingreq' }), connect()]),
    'reserved bits of its type': changed(connect(), 0, 0x11),
    'a length of five bytes': Buffer.of(0x10, 0xff, 0xff, 0xff, 0xff, 0x01),
    'another protocol': connect({ protocolId: 'MQIsdp', protocolVersion: 3 }).fill('X', 4, 5),
    'a version that is none': changed(connect(), 8, 6),
    'a version of another name': connect({ protocolId: 'MQIsdp', protocolVersion: 3 }).fill(4, 10, 11),
    'a reserved flag': changed(connect(), 9, 0x03),
    'a password that is not there': changed(connect(), 9, 0x42),
    'a user name that is longer than the packet': changed(connect({ username: 'ada' }), 18, 200),
    'something behind its last field': Buffer.concat([changed(connect(), 1, connect()[1]! + 1), Buffer.of(0)]),
    'a length of five bytes inside': Buffer.concat([
      Buffer.of(0x10, 16, 0, 4),
      Buffer.from('MQTT'),
      Buffer.of(5, 2, 0, 60, 0xff, 0xff, 0xff, 0xff, 0, 0),
    ]),
    'a length of nothing': Buffer.of(0x10, 0),
  },
  others: {
    nothing: Buffer.alloc(0),
    'its first byte': Buffer.of(0x10),
    'a long one that has not come': Buffer.of(0x10, 0xff, 0xff, 0x7f, 0),
  },
  isStream: true,
  behind: generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'news', qos: 0 }] }),
  closes: { unauthenticated: 4001, forbidden: 4003, timeout: 4001 },
}

const refusals4 = { unauthenticated: Buffer.of(0x20, 2, 0, 4), forbidden: Buffer.of(0x20, 2, 0, 5) }
const refusals5 = { unauthenticated: Buffer.of(0x20, 3, 0, 0x86, 0), forbidden: Buffer.of(0x20, 3, 0, 0x87, 0) }

export const stompFrame = (command: string, headers: readonly string[], end = '\n') =>
  `${[command, ...headers].map((line) => line + end).join('')}${end}\0`
const inStomp = (end: string): DialectFixture => ({
  dialect: stomp,
  hello: (token) =>
    stompFrame('CONNECT', ['accept-version:1.2', ...(token ? [`passcode:${token}`] : []), 'host:example.com'], end),
  bare: stompFrame('CONNECT', ['accept-version:1.2', 'host:example.com'], end),
  mayLackIt: true,
  broken: {
    'another command': stompFrame('SEND', ['passcode:good-ada']),
    'another frame before it': stompFrame('SEND', []) + stompFrame('CONNECT', ['passcode:good-ada']),
    'the header twice': stompFrame('CONNECT', ['passcode:good-ada', 'passcode:good-ada']),
    'the header twice, different': stompFrame('CONNECT', ['passcode:good-ada', 'passcode:bad']),
    'a body': 'CONNECT\npasscode:good-ada\n\nbody\0',
    'a body that ends a line': 'CONNECT\npasscode:good-ada\n\nbody\n\0',
    'no blank line': 'CONNECT\npasscode:good-ada\0',
    'a space in front': ` ${stompFrame('CONNECT', ['passcode:good-ada'])}`,
    'nothing in it': '\0',
  },
  others: { nothing: '', 'a heart-beat': '\n', heartbeats: '\r\n\n', 'its first line': 'CONNECT\n' },
  isStream: true,
  behind: stompFrame('SUBSCRIBE', ['id:0', 'destination:news']),
  refused: {
    unauthenticated: 'ERROR\nmessage:Authentication failed\n\n\0',
    forbidden: 'ERROR\nmessage:Forbidden\n\n\0',
  },
  closes: { unauthenticated: 4001, forbidden: 4003, timeout: 4001 },
})
const stompBytes = ({ hello, bare, behind, broken, others, ...rest }: DialectFixture): DialectFixture => {
  const bytes = (messages: DialectFixture['broken']) =>
    Object.fromEntries(Object.entries(messages).map(([name, message]) => [name, Buffer.from(message)]))
  return {
    ...rest,
    hello: (token) => Buffer.from(hello(token)),
    bare: Buffer.from(bare!),
    behind: Buffer.from(behind),
    broken: bytes(broken),
    others: bytes(others),
  }
}

export const written = (text: string) => Buffer.concat([Buffer.of(Buffer.byteLength(text)), Buffer.from(text)])
// A token is longer than a length of one byte says.
const long = (text: string) => {
  const length = Buffer.byteLength(text)
  const head = length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7]
  return Buffer.concat([Buffer.from(head), Buffer.from(text)])
}
/** The message by which a Hocuspocus provider brings its token. */
export const tokenOf = (token: string) =>
  Buffer.concat([written('plans'), Buffer.of(2, 0), long(token), written('4.8.0')])
const denied = Buffer.concat([written('plans'), Buffer.of(2, 1), written('permission-denied')])

/** Every dialect, in every form of its first message. */
export const fixtures: Readonly<Record<string, DialectFixture>> = {
  'plain frames': frames,
  'plain frames with a nonce': framesWithNonce,
  'graphql-ws': {
    dialect: graphqlWs,
    ...inParameters({ type: 'connection_init' }, 'payload'),
    mayLackIt: true,
    isStream: false,
    behind: '{"id":"1","type":"subscribe","payload":{"query":"{ me }"}}',
    refused: {},
    closes: { unauthenticated: 4401, forbidden: 4401, timeout: 4408 },
  },
  trpc: {
    dialect: trpc,
    ...inParameters({ method: 'connectionParams' }, 'data'),
    mayLackIt: true,
    isStream: false,
    behind: '{"id":1,"method":"query","params":{"path":"me"}}',
    refused: {},
    closes: { unauthenticated: 4001, forbidden: 4003, timeout: 4001 },
  },
  hocuspocus: {
    dialect: hocuspocus,
    hello: tokenOf,
    bare: tokenOf(''),
    mayLackIt: true,
    broken: {
      'a token that is longer than the message': Buffer.concat([
        written('plans'),
        Buffer.of(2, 0, 100),
        Buffer.from('abc'),
      ]),
      'no token': Buffer.concat([written('plans'), Buffer.of(2, 0)]),
    },
    others: {
      nothing: Buffer.alloc(0),
      text: 'hello',
      'a ping': Buffer.of(9),
      'another kind': Buffer.concat([written('plans'), Buffer.of(0, 0), written('abc')]),
      'what a server says': denied,
      'a name that is cut short': Buffer.of(5, 1, 2),
      'a kind that is cut short': Buffer.concat([written('plans'), Buffer.of(2)]),
    },
    isStream: false,
    behind: Buffer.concat([written('plans'), Buffer.of(0, 0, 1, 0)]),
    refused: { unauthenticated: denied, forbidden: denied },
    closes: { unauthenticated: 4401, forbidden: 4403, timeout: 4408 },
    again: tokenOf,
  },
  'mqtt 3.1': { ...packets, ...inMqtt({ protocolId: 'MQIsdp', protocolVersion: 3 }), refused: refusals4 },
  'mqtt 3.1.1': { ...packets, ...inMqtt({}), refused: refusals4 },
  'mqtt 3.1.1 with a will': { ...packets, ...inMqtt({ will }), refused: refusals4 },
  'mqtt 5': {
    ...packets,
    ...inMqtt({
      protocolVersion: 5,
      will: { ...will, properties: { willDelayInterval: 5 } },
      properties: { sessionExpiryInterval: 60, userProperties: { lang: 'en' } },
    }),
    refused: refusals5,
  },
  stomp: inStomp('\n'),
  'stomp with two characters to end a line': inStomp('\r\n'),
  'stomp in binary messages': stompBytes(inStomp('\n')),
}
