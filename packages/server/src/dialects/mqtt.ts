import { Cursor, variable } from './cursor.js'
import type { Conversation, Dialect, Heard, News, WireMessage } from './dialect.js'

/**
 * MQTT 3.1, 3.1.1 and 5 over WebSockets, as mqtt.js speaks it, whose client stops at a CONNACK that refuses it, and reads no
 * close code.
 *
 * The credential is the password of CONNECT. The application gets the packet without it, and answers CONNACK.
 */
export const mqtt: Dialect = {
  closeCodes: {},
  converse: (): Conversation => new MqttConversation(),
}

/** The first byte of CONNECT (MQTT 3.1.1 section 3.1.1). */
const connect = 0x10
/** What the flags of CONNECT say is there (section 3.1.2.3). */
const flag = { reserved: 0x01, will: 0x04, password: 0x40, userName: 0x80 }

class MqttConversation implements Conversation {
  /** What has come of the packet, which a client may cut into several messages. */
  #come: Buffer = Buffer.alloc(0)
  #version: number | undefined

  hear(message: WireMessage): Heard {
    // Packets travel in binary messages (section 6).
    if (typeof message === 'string') return 'malformed'
    const come = Buffer.concat([this.#come, message])
    this.#come = come
    const head = new Cursor(come)
    if (head.byte() !== connect && come.length > 0) return 'malformed'
    const body = head.take(head.variable())
    if (head.isBroken) return head.at > come.length ? undefined : 'malformed'
    this.#come = Buffer.alloc(0)
    return this.#takePassword(body, come.subarray(head.at))
  }

  /** How a server refuses CONNECT: MQTT 3.1.1 section 3.2.2.3, MQTT 5 section 3.2.2.2. */
  say(news: News): Uint8Array | undefined {
    if (news.type !== 'refused' || this.#version === undefined) return undefined
    const isBad = news.code === 'unauthenticated'
    if (this.#version === 5) return Uint8Array.of(0x20, 3, 0, isBad ? 0x86 : 0x87, 0)
    return Uint8Array.of(0x20, 2, 0, isBad ? 4 : 5)
  }

  /** Reads the packet as MQTT 3.1.1 section 3.1 and MQTT 5 section 3.1 write it; `behind` came with it. */
  #takePassword(packet: Buffer, behind: Buffer): Heard {
    const read = new Cursor(packet)
    const data = () => read.take((read.byte() << 8) | read.byte())
    const properties = () => version === 5 && read.take(read.variable())
    const name = String(data())
    const version = read.byte()
    const flagsAt = read.at
    const flags = read.byte()
    read.take(2) // How long it may be silent.
    properties()
    data() // Its name.
    if (flags & flag.will) {
      properties()
      data()
      data()
    }
    if (flags & flag.userName) data()
    const passwordAt = read.at
    const password = flags & flag.password ? String(data()) : ''
    if (read.isBroken || read.at !== packet.length || flags & flag.reserved) return 'malformed'
    if (!(name === 'MQTT' ? version === 4 || version === 5 : name === 'MQIsdp' && version === 3)) return 'malformed'
    this.#version = version
    if (password === '') return 'absent'
    const rest = packet.subarray(0, passwordAt)
    rest[flagsAt] = flags & ~flag.password
    return { credential: password, rest: [Buffer.concat([Buffer.of(connect, ...variable(rest.length)), rest, behind])] }
  }
}
