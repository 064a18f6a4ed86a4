import { DurableObject } from 'cloudflare:workers'
import { type Connection, createGuard, type Guard, header, type Identity, type Store } from '@sallyport/server'
import { guardedObject, objectStore, storeObject } from '@sallyport/server/durable-objects'
import { guardWorkers } from '@sallyport/server/workers'
import { type Equals, expectTrue } from './types.js'

interface User extends Identity {
  readonly plan: string
}

interface Env {
  readonly STORE: object
}

declare const user: User
declare const env: Env
const guardOf = (store: Store): Guard<User> =>
  createGuard({ store, accept: [header({ verify: () => ({ identity: user }) })] })

// A Worker: whose the connection is, and the parameters of its path.
const door = guardWorkers(guardOf(objectStore(env.STORE)), { path: '/rooms/:room' }, (socket, connection) => {
  expectTrue<Equals<typeof connection, Connection<User, { readonly room: string }>>>()
  socket.send(connection.identity.plan + connection.params.room)
})
const answer: Promise<Response | undefined> = door.fetch(new Request('https://example.com/'))
void answer
// @ts-expect-error: a guarded route has a path
guardWorkers(guardOf(objectStore(env.STORE)), {}, () => {})

// Objects: the environment is that of the class, the identity that of the guard.
export class Sallyport extends storeObject(DurableObject<Env>) {}
export class Room extends guardedObject(DurableObject<Env>, {
  binding: 'ROOM',
  store: 'STORE',
  path: '/rooms/:room',
  guard(store, given) {
    expectTrue<Equals<typeof given, Env>>()
    return guardOf(store)
  },
}) {
  override async onMessage(
    socket: { send(data: string): void },
    message: string | ArrayBuffer,
    from: Connection<User>,
  ) {
    socket.send(from.identity.plan + String(message))
    for (const [each, { identity }] of await this.connections()) each.send(identity.plan)
    const held: object = this.env.STORE
    void held
  }
}
// @ts-expect-error: its guard has to be made
guardedObject(DurableObject<Env>, { binding: 'ROOM', store: 'STORE', path: '/ws' })
