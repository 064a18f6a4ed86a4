import { type Identity, identityKey } from '../../identity.js'
import { hash } from '../../support/hash.js'
import type { Client } from './client.js'
import { callAll, contain, watched } from './contain.js'
import {
  type Auth,
  type Engine,
  type EventPacket,
  type InnerServer,
  isKnownSocket,
  type Namespace,
  type Packet,
  packetTypes,
  type SocketIoSocket,
} from './internals.js'
import { events, withoutCredential } from './words.js'

/** Finds the client of a connection of engine.io. */
export type Find<I extends Identity> = (engine: Engine) => Client<I> | undefined

/**
 * Guards a namespace: the guard is asked before there is a socket. A middleware would come too late, behind the packets
 * that a recovered socket has missed, and could be skipped.
 */
export function guardNamespace<I extends Identity>(io: InnerServer, namespace: Namespace, find: Find<I>): void {
  const { _add: add, run, name } = namespace
  let asking = 0
  let isEntered = false
  namespace._add = async (sender, auth, joined) => {
    const client = find(sender.conn)
    asking += 1
    try {
      if (!client) sender.conn.close()
      else if (await client.enter(sender, name, auth)) {
        isEntered = true
        await add.call(namespace, sender, passed(auth, client), joined)
      }
    } catch (error) {
      client?.refuse(name, { code: 'internal' })
      client?.fail(error)
    }
    asking -= 1
    if (asking === 0 && !isEntered) forget(io, namespace)
  }
  namespace.run = (socket, done) => {
    const client = find(socket.conn)
    const fail = (error: unknown) => {
      if (!socket.connected) client?.refuse(name, { code: 'internal' })
      client?.fail(error)
      // Socket.IO keeps what its middleware has not decided.
      if (!socket.connected) done(error)
    }
    run.call({ _fns: namespace._fns.map((middleware) => watched(middleware, fail)) }, socket, done)
  }
  namespace.use((socket, next) => {
    const identity = find(socket.conn)?.connection?.identity
    // Nobody comes here but by the door above.
    if (!identity) return next(new Error('Forbidden'))
    if (socket.pid !== undefined && !socket.recovered) socket.pid = ownedBy(identity, socket.pid)
    next()
  })
  contain(namespace, (event, [socket]) => {
    if (event !== 'connect' && event !== 'connection') return undefined
    const joining = socket as SocketIoSocket
    const client = find(joining.conn)
    if (event === 'connect') guardSocket(joining, client)
    return (error) => client?.fail(error)
  })
}

/** Takes a namespace away that a pattern has made for who was not let in: strangers could make any number of them. */
function forget({ _nsps: namespaces, parentNsps: patterns }: InnerServer, namespace: Namespace): void {
  for (const { children } of patterns.values()) {
    if (!children.delete(namespace)) continue
    namespaces.delete(namespace.name)
    namespace.adapter.close()
  }
}

/** What Socket.IO and the application see of `auth`. Only who had a session goes on with it. */
function passed<I extends Identity>(auth: Auth, { connection }: Client<I>): Auth {
  const { pid, ...rest } = withoutCredential(auth)
  const [id = ''] = typeof pid === 'string' ? pid.split('.') : []
  return connection && pid === ownedBy(connection.identity, id) ? { ...rest, pid } : rest
}

/** The id of a session for recovery, which says whose it is, on every node. */
const ownedBy = (identity: Identity, id: string): string => `${id}.${hash(`${id} ${identityKey(identity)}`)}`

/** Lets nothing in that must not cross, and what listeners throw end no process. */
function guardSocket<I extends Identity>(socket: SocketIoSocket, client: Client<I> | undefined): void {
  if (!client?.connection || !isKnownSocket(socket)) {
    socket.disconnect(true)
    return
  }
  const fail = (error: unknown) => client.fail(error)
  const { _onpacket: take, run, registerAckCallback } = socket
  socket._onpacket = (packet) => {
    if (!client.mayCross()) return
    try {
      if (isRenewal(packet)) renew(socket, client, packet)
      else take.call(socket, packet)
    } catch (error) {
      fail(error)
    }
  }
  socket.onevent = ({ data, id }) => {
    const event: EventPacket['data'] = id === undefined ? data : [...data, socket.ack(id)]
    if (callAll(socket.listenersAny(), socket, event, fail)) socket.dispatch(event)
  }
  socket.dispatch = (event) => {
    run.call({ fns: socket.fns.map((middleware) => watched(middleware, fail)) }, event, (error) => {
      process.nextTick(() => {
        const [name, ...args] = event
        if (error) socket._onerror(error)
        else if (socket.connected && client.mayCross()) callAll(socket.rawListeners(name), socket, args, fail)
      })
    })
  }
  socket.notifyOutgoingListeners = ({ data }) => {
    callAll(socket.listenersAnyOutgoing(), socket, data, fail)
  }
  socket.registerAckCallback = (id, waiting) => registerAckCallback.call(socket, id, watched(waiting, fail))
  contain(socket, () => fail)
}

/** Whether an event of the client brings a newer credential. */
const isRenewal = (packet: Packet): packet is EventPacket =>
  packet.type === packetTypes.event && Array.isArray(packet.data) && packet.data[0] === events.renew

function renew<I extends Identity>({ client: sender, nsp }: SocketIoSocket, client: Client<I>, packet: EventPacket) {
  const { id, data } = packet
  const auth = typeof data[1] === 'object' && data[1] !== null ? (data[1] as Auth) : {}
  client.renew(auth).then(
    (answer) => {
      if (answer && id !== undefined) sender._packet({ type: packetTypes.ack, id, nsp: nsp.name, data: [answer] })
    },
    (error) => client.fail(error),
  )
}
