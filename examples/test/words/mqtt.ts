import { generate, type Packet, parser } from 'mqtt-packet'
import { type RawClient, rawFrame } from '../../../packages/server/test/support/raw.js'
import type { Words } from '../stacks.js'

const send = (client: RawClient, packet: Packet) => client.write(rawFrame(generate(packet), { opcode: 2 }))

/** The packets of the server so far. */
function packetsOf(client: RawClient): Packet[] {
  const packets: Packet[] = []
  const reader = parser().on('packet', (packet) => packets.push(packet))
  for (const { opcode, payload } of client.frames()) if (opcode === 2) reader.parse(payload)
  return packets
}

/** The first packet of the server that is looked for. */
async function hear<P>(client: RawClient, look: (packet: Packet) => P | undefined): Promise<P> {
  const find = () => {
    for (const packet of packetsOf(client)) {
      const found = look(packet)
      if (found !== undefined) return found
    }
    return undefined
  }
  await client.until(() => find() !== undefined)
  const heard = find()
  if (heard === undefined) throw new Error(`the server ended without it; it said ${JSON.stringify(packetsOf(client))}`)
  return heard
}

async function begin(client: RawClient, password?: string): Promise<void> {
  const secret = password === undefined ? {} : { username: 'anybody', password: Buffer.from(password) }
  send(client, { cmd: 'connect', clientId: '', clean: true, keepalive: 0, ...secret })
  await hear(client, (packet) => (packet.cmd === 'connack' && packet.returnCode === 0) || undefined)
}

const textOn = (end: string) => (packet: Packet) =>
  packet.cmd === 'publish' && packet.topic.endsWith(end)
    ? { topic: packet.topic, text: String(packet.payload) }
    : undefined

/** MQTT 3.1.1. What a user's topics begin with, the welcome tells. */
export const mqtt: Words = {
  protocol: 'mqtt',
  closes: { revoked: 4010, expired: 4019 },
  authenticate: begin,
  async welcome(client) {
    if (packetsOf(client).length === 0) await begin(client)
    return JSON.parse((await hear(client, textOn('/welcome'))).text)
  },
  async echo(client, text) {
    const { topic } = await hear(client, textOn('/welcome'))
    const said = topic.replace(/welcome$/, 'said')
    send(client, { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: said, qos: 0 }] })
    await hear(client, (packet) => (packet.cmd === 'suback' && packet.granted[0] === 0) || undefined)
    send(client, { cmd: 'publish', topic: said, payload: text, qos: 0, dup: false, retain: false })
    return (await hear(client, textOn('/said'))).text
  },
}
