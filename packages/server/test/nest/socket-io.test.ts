import 'reflect-metadata'
import type { AddressInfo } from 'node:net'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import type { Identity } from '@sallyport/server'
import { CurrentIdentity, connectionOf, GuardedIoAdapter } from '@sallyport/server/nest-socket-io'
import type { Socket as ServerSocket } from 'socket.io'
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { guardOfAll } from '../support/guard.js'

async function start() {
  const guard = guardOfAll()
  const seen: string[] = []

  @WebSocketGateway()
  class Chat {
    handleConnection(client: ServerSocket) {
      seen.push(`connection ${connectionOf(guard, client).identity.id}`)
    }

    @SubscribeMessage('say')
    say(@MessageBody() text: string, @CurrentIdentity() { id }: Identity) {
      seen.push(`${id} says ${text}`)
      return `${id}: ${text}`
    }
  }

  @WebSocketGateway({ namespace: 'admin' })
  class Admin extends Chat {}

  @Module({ providers: [Chat, Admin] })
  class Application {}

  const app = await NestFactory.create(Application, { logger: false, abortOnError: false })
  const admit = ({ id }: Identity, { params }: { params: { namespace: string } }) =>
    params.namespace !== '/admin' || id === 'ada'
  app.useWebSocketAdapter(new GuardedIoAdapter(app, guard, { admit }))
  await app.listen(0, '127.0.0.1')
  onTestFinished(() => app.close())
  const { port } = app.getHttpServer().address() as AddressInfo
  const connect = (path: string, options: Partial<ManagerOptions & SocketOptions>): Socket => {
    const socket = io(`http://127.0.0.1:${port}${path}`, { reconnection: false, forceNew: true, ...options })
    onTestFinished(() => void socket.disconnect())
    return socket
  }
  return { guard, seen, port, connect }
}

const next = (socket: Socket, event: string) => new Promise((resolve) => socket.once(event, resolve))

describe('GuardedIoAdapter', () => {
  it.each([['polling'], ['websocket']])('tells a handler who it is, over %s', async (transport) => {
    const { connect, seen } = await start()
    const socket = connect('/', { auth: { token: 'good-ada' }, transports: [transport] })
    expect(await socket.emitWithAck('say', 'hello')).toBe('ada: hello')
    expect(seen).toEqual(['connection ada', 'ada says hello'])
  })

  it('refuses whose credential is bad, and who may not enter a namespace', async () => {
    const { connect, seen } = await start()
    const refused = async (path: string, token: string) => {
      const error = await next(connect(path, { auth: { token } }), 'connect_error')
      return (error as { data: { code: number } }).data.code
    }
    expect(await refused('/', 'bad')).toBe(4001)
    expect(await refused('/admin', 'good-eve')).toBe(4003)
    const admin = connect('/admin', { auth: { token: 'good-ada' } })
    expect(await admin.emitWithAck('say', 'control')).toBe('ada: control')
    expect(seen).toEqual(['connection ada', 'ada says control'])
  })

  it('F03 ends a client that is revoked, and only that', async () => {
    const { guard, connect, seen } = await start()
    const [ada, eve] = ['ada', 'eve'].map((user) => connect('/', { auth: { token: `good-${user}` } })) as [
      Socket,
      Socket,
    ]
    await Promise.all([next(ada, 'connect'), next(eve, 'connect')])
    const gone = next(ada, 'disconnect')
    await guard.revoke({ user: 'ada' })
    await gone
    expect(await eve.emitWithAck('say', 'control')).toBe('eve: control')
    expect(seen.slice(2)).toEqual(['eve says control'])
  })

  it('answers the routes of the guard', async () => {
    const { port, connect } = await start()
    const issued = await fetch(`http://127.0.0.1:${port}/socket.io/ticket`, {
      method: 'POST',
      headers: { Authorization: 'Bearer good-ada' },
    })
    expect(issued.status).toBe(201)
    const { ticket } = (await issued.json()) as { ticket: string }
    expect(await connect('/', { auth: { ticket } }).emitWithAck('say', 'hello')).toBe('ada: hello')
  })
})
