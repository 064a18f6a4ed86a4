import { mqtt as mqttDialect } from '@sallyport/server'
import { Aedes } from 'aedes'
import mqtt from 'mqtt'
import { generate, parser } from 'mqtt-packet'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createWebSocketStream, type WebSocket } from 'ws'
import { readWhole } from '../../../../examples/mqtt/read-whole.js'
import { speaking } from './speaking.js'

const protocols = ['mqtt', 'mqttv3.1']

/** A broker, and the passwords it gets to see. */
async function start() {
  const broker = await Aedes.createBroker()
  onTestFinished(() => new Promise((resolve) => broker.close(resolve)))
  const seen: (string | undefined)[] = []
  broker.authenticate = (_, userName, password, done) => {
    seen.push(`${userName} ${password ?? 'nothing'}`)
    done(null, true)
  }
  const server = await speaking(
    mqttDialect,
    (webSocketServer) =>
      webSocketServer.on('connection', (socket: WebSocket) => {
        const stream = createWebSocketStream(socket)
        stream.on('error', () => {})
        broker.handle(readWhole(stream))
      }),
    { protocols },
  )
  return { ...server, seen }
}

/** Its own client, which counts how often it opens a socket. */
function open(url: string, password: string, options: Partial<mqtt.IClientOptions> = {}) {
  let opened = 0
  const client = mqtt.connect(url, {
    protocolVersion: 4,
    username: 'ada',
    password,
    reconnectPeriod: 1,
    transformWsUrl(address) {
      opened += 1
      return address
    },
    ...options,
  })
  onTestFinished(() => void client.end(true))
  return { client, opened: () => opened }
}

/** The first thing that an event tells. */
const heard = (client: mqtt.MqttClient, event: keyof mqtt.MqttClientEventCallbacks): Promise<unknown> =>
  new Promise((resolve) => client.once(event, (what: unknown) => resolve(what)))

async function publish(client: mqtt.MqttClient): Promise<string> {
  await client.subscribeAsync('news')
  const message = new Promise<string>((resolve) =>
    client.once('message', (topic, payload) => resolve(`${topic} ${payload}`)),
  )
  client.publish('news', 'hello')
  return message
}

describe('the client of MQTT, with its credential in CONNECT', () => {
  it.each([3, 4] as const)('is accepted; the broker sees no password: version %i', async (protocolVersion) => {
    const { url, token, seen, told } = await start()
    const { client } = open(url, token(), {
      protocolVersion,
      ...(protocolVersion === 3 && { protocolId: 'MQIsdp' }),
      will: { topic: 'gone', payload: Buffer.from('ada') as never, qos: 0, retain: false },
    })
    expect(await publish(client)).toBe('news hello')
    expect(seen).toEqual(['ada nothing'])
    expect(told).toEqual(['accepted'])
  })

  it.each([
    [4, 4],
    [5, 0x86],
  ] as const)('is refused as version %i says it, and stops', async (protocolVersion, code) => {
    const { url, token, seen, told } = await start()
    const { client, opened } = open(url, 'bad', { protocolVersion })
    const closed = heard(client, 'close')
    expect(await heard(client, 'error')).toMatchObject({ code })
    await closed
    // It would have come again a millisecond later.
    await publish(open(url, token()).client)
    expect(opened()).toBe(1)
    expect(seen).toEqual(['ada nothing'])
    expect(told).toEqual(['credential-unknown', 'accepted'])
  })

  it('is renewed over HTTP', async () => {
    const { url, token, told, clock, renew } = await start()
    const { client, opened } = open(url, token())
    await heard(client, 'connect')
    clock.advance(50_000)
    expect(await renew()).toBe(200)
    clock.advance(50_000)
    expect(await publish(client)).toBe('news hello')
    expect(told).toEqual(['accepted', 'renewed'])
    expect(opened()).toBe(1)
  })

  it('comes again when its credential has ended, with the one that it has by then', async () => {
    const { url, token, told, expire } = await start()
    const { client, opened } = open(url, token())
    await heard(client, 'connect')
    client.on('close', () => {
      client.options.password = token()
    })
    const again = heard(client, 'connect')
    expire()
    await again
    expect(await publish(client)).toBe('news hello')
    expect(told).toEqual(['accepted', 'expired', 'accepted'])
    expect(opened()).toBe(2)
  })

  it('is refused at its next attempt when it is revoked, and stops', async () => {
    const { url, token, guard, told, clock } = await start()
    const { client, opened } = open(url, token())
    await heard(client, 'connect')
    const refused = heard(client, 'error')
    await guard.revoke({ user: 'ada' })
    expect(await refused).toMatchObject({ code: 4 })
    clock.advance(1)
    await publish(open(url, token()).client)
    expect(opened()).toBe(2)
    expect(told).toEqual(['accepted', 'revoked', 'credential-revoked', 'accepted'])
  })
})

it('version 5 is accepted too; aedes does not know it, so that packets are read and written here', async () => {
  const seen: unknown[] = []
  const { url, token } = await speaking(
    mqttDialect,
    (webSocketServer) =>
      webSocketServer.on('connection', (socket: WebSocket) => {
        const reader = parser()
        reader.on('packet', (packet) => {
          seen.push(packet)
          if (packet.cmd === 'connect')
            socket.send(generate({ cmd: 'connack', reasonCode: 0, sessionPresent: false }, { protocolVersion: 5 }))
        })
        socket.on('message', (data: Buffer) => reader.parse(data))
      }),
    { protocols },
  )
  const { client } = open(url, token(), { protocolVersion: 5, properties: { sessionExpiryInterval: 60 } })
  await heard(client, 'connect')
  expect(seen).toMatchObject([
    { cmd: 'connect', protocolVersion: 5, username: 'ada', properties: { sessionExpiryInterval: 60 } },
  ])
  expect(seen[0]).not.toHaveProperty('password', expect.anything())
})
