import { DurableObject, env } from 'cloudflare:workers'
import { createGuard } from '@sallyport/server'
import { objectStore, storeObject } from '@sallyport/server/durable-objects'
import { guardWorkers } from '@sallyport/server/workers'
import { fetchAccountsOf } from '../shared/login.js'
import { waysIn } from '../shared/ways-in.js'

export class Sallyport extends storeObject(DurableObject) {}

const guard = createGuard({ ...waysIn, store: objectStore(env.SALLYPORT) })
const door = guardWorkers(guard, { path: '/ws' }, (socket, { identity, method }) => {
  socket.addEventListener('message', ({ data }) => socket.send(JSON.stringify({ type: 'echo', data })))
  socket.send(JSON.stringify({ type: 'welcome', userId: identity.id, method }))
})

export default {
  async fetch(request: Request): Promise<Response> {
    return (
      (await door.fetch(request)) ??
      (await fetchAccountsOf(guard, request)) ??
      new Response('Not found', { status: 404 })
    )
  },
}
