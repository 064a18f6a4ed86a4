import { createDecoder, readVarString, readVarUint } from 'lib0/decoding'
import { createEncoder, type Encoder, toUint8Array, writeVarString, writeVarUint } from 'lib0/encoding'
import { readSyncMessage, writeSyncStep1, writeUpdate } from 'y-protocols/sync'
import { Doc, encodeStateAsUpdate } from 'yjs'
import { type RawClient, rawFrame } from '../../../packages/server/test/support/raw.js'
import type { Words } from '../stacks.js'
import { authenticateInFrames } from './plain.js'

const sync = 0
const auth = 2
const syncReply = 4

/** The messages of Yjs about the one document of an example; Hocuspocus begins each with its name. */
function words(name: string | undefined, closes: Words['closes']): Words {
  /** The message of Hocuspocus that opens a document; a socket that was let in needs no token for it. */
  function open(client: RawClient, token: string): void {
    send(client, auth, (encoder) => {
      writeVarUint(encoder, 0)
      writeVarString(encoder, token)
    })
  }

  function send(client: RawClient, type: number, write: (encoder: Encoder) => void): void {
    const encoder = createEncoder()
    if (name !== undefined) writeVarString(encoder, name)
    writeVarUint(encoder, type)
    write(encoder)
    client.write(rawFrame(Buffer.from(toUint8Array(encoder)), { opcode: 2 }))
  }

  /** What the document holds at the server. */
  function read(client: RawClient): Doc {
    const document = new Doc()
    for (const { opcode, payload } of client.frames()) {
      if (opcode !== 2) continue
      const decoder = createDecoder(payload)
      if (name !== undefined) readVarString(decoder)
      const type = readVarUint(decoder)
      if (type === sync || type === syncReply) readSyncMessage(decoder, createEncoder(), document, undefined)
    }
    return document
  }

  /** Asks for the document, and waits until it has what is looked for. */
  async function find<T>(client: RawClient, look: (document: Doc) => T | undefined): Promise<T> {
    send(client, sync, (encoder) => writeSyncStep1(encoder, new Doc()))
    await client.until(() => look(read(client)) !== undefined)
    const found = look(read(client))
    if (found === undefined) throw new Error('the server has ended before it said it')
    return found
  }

  return {
    closes,
    async authenticate(client, token) {
      if (name === undefined) return authenticateInFrames(client, token)
      open(client, token)
      await client.until(() => client.frames().length > 0)
    },
    async welcome(client, userId) {
      if (name !== undefined && client.frames().length === 0) open(client, '')
      const method = await find(client, (document) => document.getMap<string>('visitors').get(userId))
      return { userId, method }
    },
    async echo(client, text) {
      const document = new Doc()
      document.getArray<string>('said').push([text])
      send(client, sync, (encoder) => writeUpdate(encoder, encodeStateAsUpdate(document)))
      return find(client, (document) =>
        document
          .getArray<string>('said')
          .toArray()
          .find((said) => said === text),
      )
    },
  }
}

/** y-websocket, whose document is the path: what one writes, all have. */
export const yjs = words(undefined, { revoked: 4403, expired: 4019 })

/** Hocuspocus, with one document. */
export const hocuspocus = words('ws', { revoked: 4010, expired: 4019 })
