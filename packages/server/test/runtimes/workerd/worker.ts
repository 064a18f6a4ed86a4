import { DurableObject } from 'cloudflare:workers'
import {
  type Connection,
  cookie,
  createGuard,
  firstMessage,
  graphqlWs,
  header,
  type Identity,
  query,
  type Store,
  subprotocol,
  ticket,
} from '@sallyport/server'
import { guardedObject, type Look, objectStore, storeObject } from '@sallyport/server/durable-objects'
import { guardWorkers } from '@sallyport/server/workers'
import type { ObjectNamespace, RuntimeWebSocket } from '../../../src/support/cloudflare.js'
import { type Person, verify } from './tokens.js'

/** Whether the store has stopped to answer. */
let isBroken = false
/** Told when it may answer those again who have heard of a revocation in this look; there while they are to wait. */
let held: (() => void)[] | undefined

export class Sallyport extends storeObject(DurableObject) {
  override async look(look: Look) {
    if (isBroken) throw new Error('out of order')
    if (held && look.position > 0) await new Promise<void>((resolve) => held?.push(resolve))
    return super.look(look)
  }
}

/** How often it was looked into the store that no live connection looks into. */
let looks = 0

export class Quiet extends storeObject(DurableObject) {
  override async look(look: Look) {
    looks += 1
    return super.look(look)
  }
}

type Rooms = ObjectNamespace<{ fetch(request: Request): Promise<Response> }>

interface Env {
  readonly ROOM: Rooms
  readonly STORE: object
  readonly QUIET_ROOM: Rooms
  readonly QUIET: object
}

const guardOf = (store: Store) =>
  createGuard({
    store,
    origins: ['https://app.example.com'],
    protocols: ['app.v1', 'graphql-transport-ws'],
    life: { leeway: 0, notice: 2_000 },
    limits: { failedAttempts: 1_000 },
    accept: [
      ticket(),
      query({ verify, dangerouslyAllowLongLived: true }),
      header({ verify }),
      cookie({ name: 'session', verify }),
      subprotocol({ verify }),
      firstMessage({ verify, timeout: 1_000 }),
    ],
  })

const seen: string[] = []
let births = 0

/** What the application does with a message, wherever it runs. */
function onMessage(
  socket: Pick<RuntimeWebSocket, 'send'>,
  message: string | ArrayBuffer,
  { identity }: Connection<Person>,
): void {
  seen.push(`${identity.id} ${String(message)}`)
  if (message === 'fail') throw new Error('of the application')
  if (message === 'about') socket.send(String(identity.about?.length))
  else socket.send(message)
}

const hello = (socket: Pick<RuntimeWebSocket, 'send'>, { identity, method }: Connection<Person>) => {
  seen.push(`handler ${identity.id}`)
  socket.send(`${identity.id} by ${method}`)
}

export class Room extends guardedObject(DurableObject<Env>, {
  binding: 'ROOM',
  store: 'STORE',
  path: '/rooms/:room',
  admit: ({ id }) => id !== 'mallory',
  authorize: (_, message) => message !== 'secret',
  guard: guardOf,
}) {
  readonly #born = ++births

  override onConnect(socket: RuntimeWebSocket, connection: Connection<Person>) {
    hello(socket, connection)
  }
  override async onMessage(socket: RuntimeWebSocket, message: string | ArrayBuffer, connection: Connection<Person>) {
    if (message === 'born') return socket.send(`${this.#born}`)
    if (message === 'spoil') return socket.serializeAttachment({ lookAt: 1, record: {} })
    if (message !== 'all') return onMessage(socket, message, connection)
    for (const [each] of await this.connections()) each.send(`all from ${connection.identity.id}`)
  }
  override onClose(_: RuntimeWebSocket, { identity }: Connection<Person>, code: number) {
    seen.push(`${identity.id} closed ${code}`)
  }

  /** For the tests. */
  override async onRequest(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const text = searchParams.get('target')
    if (text !== null) return Response.json(await this.guard.revoke(JSON.parse(text)))
    if (pathname.endsWith('/pings')) {
      const { WebSocketRequestResponsePair: Pair } = globalThis as unknown as {
        WebSocketRequestResponsePair: new (request: string, response: string) => object
      }
      const ctx = this.ctx as unknown as { setWebSocketAutoResponse(pair: object): void }
      ctx.setWebSocketAutoResponse(new Pair('ping', 'pong'))
    }
    if (pathname.endsWith('/forget')) await this.ctx.storage.deleteAlarm()
    if (pathname.endsWith('/drain')) await this.guard.drain({ within: 0 })
    const attachments = this.ctx.getWebSockets().map((socket) => socket.deserializeAttachment())
    const kept = Array.from(this.ctx.storage.kv.list({ prefix: 'sallyport:' }), ([key]) => key)
    return Response.json({ born: this.#born, live: this.guard.connections.size, attachments, kept })
  }
}

export class QuietRoom extends guardedObject(DurableObject<Env>, {
  binding: 'QUIET_ROOM',
  store: 'QUIET',
  path: '/quiet/rooms/:room',
  guard: guardOf,
}) {}

let door: ReturnType<typeof start> | undefined
let quiet: ReturnType<typeof guardWorkers> | undefined

function start(store: Store) {
  const guard = guardOf(store)
  const onConnection = (socket: object, connection: Connection<Person>) => {
    const worker = socket as RuntimeWebSocket & EventTarget
    hello(worker, connection)
    worker.addEventListener('message', (event) => {
      onMessage(worker, (event as MessageEvent).data, connection)
    })
  }
  const authorize = (_: object, message: unknown) => message !== 'secret'
  const admit = ({ id }: Identity) => id !== 'mallory'
  const plain = guardWorkers(guard, { path: '/ws', admit, authorize }, onConnection)
  const graphql = guardWorkers(guard, { path: '/graphql', dialect: graphqlWs }, onConnection)
  return { guard, fetch: async (request: Request) => (await plain.fetch(request)) ?? graphql.fetch(request) }
}

export default {
  async fetch(request: Request, { ROOM, STORE, QUIET_ROOM, QUIET }: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname.startsWith('/quiet/')) {
      const room = /^\/quiet\/rooms\/([^/]+)/.exec(pathname)?.[1]
      if (room !== undefined) return QUIET_ROOM.get(QUIET_ROOM.idFromName(room)).fetch(request)
      quiet ??= guardWorkers(guardOf(objectStore(QUIET)), { path: '/quiet/ws' }, () => {})
      return (await quiet.fetch(request)) ?? new Response('application', { status: 404 })
    }
    if (pathname === '/looks') {
      quiet = undefined
      const since = looks
      looks = 0
      return Response.json(since)
    }
    door ??= start(objectStore(STORE))
    const room = /^\/rooms\/([^/]+)/.exec(pathname)?.[1]
    if (room !== undefined) return ROOM.get(ROOM.idFromName(room)).fetch(request)
    const text = searchParams.get('target')
    if (text !== null) return Response.json(await door.guard.revoke(JSON.parse(text), 'a test'))
    if (pathname === '/break') isBroken = true
    if (pathname === '/hold') held = []
    if (pathname === '/held') return Response.json(held?.length)
    if (pathname === '/release') for (const release of held?.splice(0) ?? []) release()
    const of = searchParams.get('of')
    if (of !== null) return Response.json(seen.filter((line) => line.split(' ').includes(of)))
    if (pathname === '/seen') return Response.json(seen.splice(0))
    if (pathname === '/drain') {
      await door.guard.drain({ within: 0 })
      return new Response()
    }
    if (pathname === '/restart') {
      door = undefined
      return new Response()
    }
    return (await door.fetch(request)) ?? new Response('application', { status: 404 })
  },
}
