import { DurableObject, env } from 'cloudflare:workers'
import { type Connection, createGuard, type Store } from '@sallyport/server'
import { guardedObject, objectStore, type RuntimeWebSocket, storeObject } from '@sallyport/server/durable-objects'
import { fetchAccountsOf } from '../shared/login.js'
import { waysIn } from '../shared/ways-in.js'

export class Sallyport extends storeObject(DurableObject) {}

const guardOf = (store: Store) => createGuard({ ...waysIn, store })

export class Room extends guardedObject(DurableObject, {
  binding: 'ROOM',
  store: 'SALLYPORT',
  path: '/ws',
  guard: guardOf,
}) {
  override onConnect(socket: RuntimeWebSocket, { identity, method }: Connection) {
    socket.send(JSON.stringify({ type: 'welcome', userId: identity.id, method }))
  }
  override onMessage(socket: RuntimeWebSocket, data: string | ArrayBuffer) {
    socket.send(JSON.stringify({ type: 'echo', data }))
  }
}

const guard = guardOf(objectStore(env.SALLYPORT))

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/ws' || pathname.startsWith('/ws/')) return env.ROOM.getByName('main').fetch(request)
    return (await fetchAccountsOf(guard, request)) ?? new Response('Not found', { status: 404 })
  },
}
