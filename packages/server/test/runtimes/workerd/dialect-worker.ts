import { DurableObject } from 'cloudflare:workers'
import type { Connection } from '@sallyport/server'
import { guardedObject, objectStore, storeObject } from '@sallyport/server/durable-objects'
import { type GuardedWorker, guardWorkers } from '@sallyport/server/workers'
import type { ObjectNamespace, RuntimeWebSocket } from '../../../src/support/cloudflare.js'
import { admit, type DialectCall, DialectScene, type DialectSetting } from '../../contract/dialect-scene.js'

interface Env {
  readonly ROOM: ObjectNamespace<Pick<Room, 'fetch' | 'answer'>>
  readonly STORE: object
}

/** What a test has asked for last: whoever is made next is made so. */
let setting: DialectSetting
/** The scene that was made last. */
let scene: DialectScene
let door: GuardedWorker

export class Sallyport extends storeObject(DurableObject) {}

export class Room extends guardedObject(DurableObject<Env>, {
  binding: 'ROOM',
  store: 'STORE',
  path: '/rooms/:room',
  admit,
  // Alarms go by the time of the runtime.
  guard(store) {
    scene = new DialectScene(setting, { start: Date.now(), storeOf: () => store })
    return scene.guard
  },
  get dialect() {
    return scene.dialect
  },
}) {
  readonly #scene = scene

  override onConnect(socket: RuntimeWebSocket, { identity }: Connection) {
    this.#scene.enter(identity, (text) => socket.send(text))
  }
  override onMessage(_: RuntimeWebSocket, message: string | ArrayBuffer) {
    this.#scene.take(message)
  }
  /** For the tests. */
  answer(call: DialectCall): unknown {
    return this.#scene.answer(call)
  }
}

/** A Worker whose `/ws` speaks the dialect. */
function start(store: object): void {
  const mine = new DialectScene(setting, { storeOf: (clock) => objectStore(store, { clock }) })
  scene = mine
  door = guardWorkers(mine.guard, { path: '/ws', dialect: mine.dialect, admit }, (socket, { identity }) => {
    const worker = socket as unknown as RuntimeWebSocket & EventTarget
    worker.addEventListener('message', (event) => mine.take((event as MessageEvent).data))
    mine.enter(identity, (text) => worker.send(text))
  })
}

export default {
  async fetch(request: Request, { ROOM, STORE }: Env): Promise<Response> {
    const room = /^\/rooms\/([^/]+)/.exec(new URL(request.url).pathname)?.[1]
    const object = room !== undefined && ROOM.get(ROOM.idFromName(room))
    if (request.method === 'PUT') {
      setting = (await request.json()) as DialectSetting
      if (!object) start(STORE)
      return new Response()
    }
    if (request.method === 'POST') {
      const call = (await request.json()) as DialectCall
      return Response.json({ result: await (object || scene).answer(call) })
    }
    return (await (object || door).fetch(request)) ?? new Response(null, { status: 404 })
  },
}
