import type { IncomingMessage } from 'node:http'
import { Controller, Get } from '@nestjs/common'
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  WsException,
} from '@nestjs/websockets'
import { createGuard, type GuardEvent, type Identity } from '@sallyport/server'
import { CurrentIdentity, connectionOf } from '@sallyport/server/nest'
import { guardServer } from '@sallyport/server/ws'
import { describe, expect, it } from 'vitest'
import type { WebSocketServer as Server, WebSocket } from 'ws'
import { Client } from '../support/client.js'
import { testClock } from '../support/clock.js'
import { freePort } from '../support/free-port.js'
import { allMethods, guardOfAll } from '../support/guard.js'
import { held } from '../support/held.js'
import { RawClient, rawFrame, rawHandshake, rawOpen } from '../support/raw.js'
import { echo } from '../support/server.js'
import { startNest } from './application.js'

const ada = { Authorization: 'Bearer good-ada' }
const eve = { Authorization: 'Bearer good-eve' }
const say = (data: unknown, event = 'say') => JSON.stringify({ event, data })
const auth = (token: string) => JSON.stringify({ type: 'auth', token })

const closeFrame = rawFrame(Buffer.from([0x03, 0xf4]), { opcode: 8 })

/** What gateways have seen, in order. */
const seen: string[] = []

@WebSocketGateway({ path: '/ws' })
class Chat {
  @WebSocketServer() server!: Server

  handleConnection(_: WebSocket, request: IncomingMessage) {
    seen.push(`connection ${request.url}`)
  }

  handleDisconnect() {
    seen.push('disconnect')
  }

  @SubscribeMessage('say')
  say(@MessageBody() text: string, @CurrentIdentity() { id }: Identity) {
    seen.push(`${id} says ${text}`)
    return { event: 'said', data: `${id}: ${text}` }
  }

  @SubscribeMessage('all')
  all(@MessageBody() text: string) {
    for (const client of this.server.clients) client.send(text)
  }

  @SubscribeMessage('fail')
  fail() {
    throw new WsException('no')
  }
}

@WebSocketGateway({ path: 'rooms/:room/' })
class Rooms {
  static guard = guardOfAll()

  @SubscribeMessage('where')
  where(@ConnectedSocket() client: WebSocket) {
    return { event: 'here', data: connectionOf(Rooms.guard, client).params.room }
  }
}

@Controller('theirs')
class Theirs {
  @Get()
  get() {
    return 'theirs'
  }
}

async function start(options: Parameters<typeof startNest>[2] = {}) {
  seen.length = 0
  const clock = testClock()
  const guard = createGuard({ ...allMethods(), clock })
  const events: GuardEvent[] = []
  guard.subscribe((event) => events.push(event))
  return { clock, guard, events, ...(await startNest(guard, [Chat], options)) }
}

describe('GuardedWsAdapter', () => {
  it('tells a handler who it is', async () => {
    const { url } = await start()
    const client = await Client.open(`${url}?room=1`, { headers: ada })
    client.send(say('hello'))
    expect(JSON.parse(await client.text())).toEqual({ event: 'said', data: 'ada: hello' })
    expect(seen).toEqual(['connection /ws?room=1', 'ada says hello'])
  })

  it('delivers what came behind a first message, and lets its client renew', async () => {
    const { port, clock } = await start()
    const { client } = await rawOpen(port, '/ws')
    client.write(Buffer.concat([say('early'), auth('good-ada'), say('behind')].map((text) => rawFrame(text))))
    expect((await client.textsUntil(2))[1]).toContain('ada: behind')
    clock.advance(50_000)
    client.write(rawFrame(auth('good-ada')))
    await client.until(() => client.texts().filter((text) => text.includes('auth_ok')).length === 2)
    clock.advance(50_000)
    client.write(rawFrame(say('later')))
    await client.until(() => client.texts().some((text) => text.includes('ada: later')))
    expect(seen).toEqual(['connection /ws', 'ada says behind', 'ada says later'])
  })

  it('F03 F08 delivers nothing behind a revocation, and cuts off who ignores the Close', async () => {
    const { port, url, guard, clock } = await start()
    const { client } = await rawOpen(port, '/ws', ada)
    const control = await Client.open(url, { headers: eve })
    await guard.revoke({ user: 'ada' })
    client.write(rawFrame(say('still here')))
    expect(await client.closeFrame()).toEqual({ code: 4010, reason: 'Revoked' })
    control.send(say('control'))
    await control.text()
    clock.advance(1_000)
    await client.gone()
    expect(seen).toEqual(['connection /ws', 'connection /ws', 'eve says control', 'disconnect'])
  })

  it('F01 delivers nothing behind the end of a credential', async () => {
    const { port, clock } = await start()
    const { client } = await rawOpen(port, '/ws', ada)
    clock.advance(65_001)
    client.write(rawFrame(say('too late')))
    expect(await client.closeFrame()).toMatchObject({ code: 4019 })
    expect(seen).toEqual(['connection /ws'])
  })

  it('E20 shows the gateway none of those who wait', async () => {
    const { port, url } = await start()
    const { client: waiting } = await rawOpen(port, '/ws')
    const client = await Client.open(url, { headers: ada })
    client.send(say('to all', 'all'))
    expect(await client.text()).toBe('to all')
    await waiting.ping()
    expect(waiting.texts()).toEqual([])
  })

  it('leaves what a handler throws to Nest', async () => {
    const { url } = await start()
    const client = await Client.open(url, { headers: ada })
    client.send(say('', 'fail'))
    client.send('no JSON')
    client.send(say('hello'))
    expect(JSON.parse(await client.text())).toMatchObject({ event: 'said' })
  })

  it('answers the routes of the guard before the body parsers, and leaves all others', async () => {
    const guard = createGuard({ ...allMethods(), clock: testClock() })
    const { port, url } = await startNest(guard, [Chat], {}, { controllers: [Theirs] })
    const call = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${port}${path}`, init)
    const issued = await call('/ws/ticket', { method: 'POST', headers: ada })
    expect(issued.status).toBe(201)
    const { ticket } = (await issued.json()) as { ticket: string }
    const client = await Client.open(`${url}?ticket=${ticket}`)
    const [connection] = guard.connections
    const renewed = await call('/ws/renew', {
      method: 'POST',
      headers: { ...ada, 'Content-Type': 'application/json' },
      body: JSON.stringify({ connection: connection?.id }),
    })
    expect([renewed.status, await renewed.json()]).toEqual([200, { expiresIn: 60 }])
    expect(await (await call('/theirs')).text()).toBe('theirs')
    expect((await call('/none/ticket', { method: 'POST', headers: ada })).status).toBe(404)
    await client.close()
  })

  it('guards each gateway at its path, and those of a port of their own', async () => {
    const own = await freePort()
    const any = await freePort()
    @WebSocketGateway(own, { path: '/own', host: '127.0.0.1' })
    class Own extends Chat {}
    @WebSocketGateway(own, { path: '/beside', host: '127.0.0.1' })
    class Beside extends Chat {}
    @WebSocketGateway(any, { host: '127.0.0.1' })
    class Any extends Chat {}
    const { guard } = Rooms
    const { port } = await startNest(guard, [Chat, Rooms, Own, Beside, Any])
    const rooms = await Client.open(`ws://127.0.0.1:${port}/rooms/plans`, { headers: ada })
    rooms.send(say('', 'where'))
    expect(JSON.parse(await rooms.text())).toEqual({ event: 'here', data: 'plans' })
    for (const at of [`${port}/ws`, `${own}/own`, `${own}/beside`, `${any}/whatever/path`]) {
      const client = await Client.open(`ws://127.0.0.1:${at}`, { headers: ada })
      client.send(say(at))
      expect(JSON.parse(await client.text())).toEqual({ event: 'said', data: `ada: ${at}` })
      const [, path] = /^\d+(.*)/.exec(at) ?? []
      expect((await rawOpen(Number.parseInt(at, 10), path!, { Authorization: 'Bearer bad' })).head.status).toBe(401)
      await client.close()
    }
    expect((await rawOpen(port, '/none', ada)).head.status).toBe(404)
    expect((await rawOpen(own, '/none', ada)).head.status).toBe(404)
    const issued = await fetch(`http://127.0.0.1:${own}/own/ticket`, { method: 'POST', headers: ada })
    expect(issued.status).toBe(201)
    expect((await fetch(`http://127.0.0.1:${own}/none`)).status).toBe(404)
  })

  it.each(['before', 'after'])('stands beside a guard of your own that comes %s it', async (order) => {
    const guard = guardOfAll()
    const attach = (server: Parameters<typeof guardServer>[0]) => guardServer(server, guard, { path: '/mine' }, echo)
    const { app, port, url } = await startNest(
      guard,
      [Chat],
      {},
      {
        prepare: (app) => void (order === 'before' && attach(app.getHttpServer())),
      },
    )
    if (order === 'after') attach(app.getHttpServer())
    const mine = await Client.open(`ws://127.0.0.1:${port}/mine`, { headers: ada })
    expect(await mine.text()).toBe('hello ada')
    const theirs = await Client.open(url, { headers: ada })
    theirs.send(say('hello'))
    expect(JSON.parse(await theirs.text())).toMatchObject({ event: 'said' })
  })

  it('closes the connections with the application', async () => {
    const { app, port, url, clock, events } = await start()
    const polite = await Client.open(url, { headers: ada })
    const { client: stubborn } = await rawOpen(port, '/ws', eve)
    const closed = app.close()
    expect(await polite.closed).toEqual({ code: 1012, reason: 'Service restart' })
    await expect(Client.open(url, { headers: ada })).rejects.toThrow()
    expect(await stubborn.closeFrame()).toMatchObject({ code: 1012 })
    const isGone = (id: string) =>
      events.some((event) => event.type === 'closed' && event.connection.identity.id === id)
    expect(isGone('eve')).toBe(false)
    clock.advance(1_000)
    await stubborn.gone()
    stubborn.destroy()
    await closed
    expect([isGone('ada'), isGone('eve')]).toEqual([true, true])
  })

  it('H31 closes who stood between the doors when it closed, and shows it to no gateway', async () => {
    const { app, port, url } = await start()
    const { client: late } = await rawOpen(port, '/ws')
    const control = await rawOpen(port, '/ws')
    control.client.write(rawFrame(auth('good-eve')))
    expect(await control.client.textsUntil(1)).toMatchObject([expect.stringContaining('auth_ok')])
    control.client.destroy()
    const closed = app.close()
    await expect(Client.open(url, { headers: ada })).rejects.toThrow()
    late.write(Buffer.concat([auth('good-ada'), say('behind')].map((text) => rawFrame(text))))
    expect(await late.closeFrame()).toEqual({ code: 1012, reason: 'Service restart' })
    late.write(closeFrame)
    late.socket.end()
    await closed
    expect(seen).toEqual(['connection /ws', 'disconnect'])
  })

  it.each<[string, Buffer]>([
    ['nothing but its own Close', closeFrame],
    ['a frame without a mask', Buffer.from([0x81, 0x00])],
  ])('H32 stops to listen, whatever a client sends behind the Close: %s', async (_, behind) => {
    const { app, port } = await start()
    const { client } = await rawOpen(port, '/ws', ada)
    const closed = app.close()
    expect(await client.closeFrame()).toMatchObject({ code: 1012 })
    client.write(behind)
    client.socket.end()
    await closed
    expect(app.getHttpServer().listening).toBe(false)
  })

  it('H32 stops to listen, though a client is not accepted any more', async () => {
    const { verify, asked, release } = held()
    const guard = createGuard({ ...allMethods(verify), clock: testClock() })
    const { app, port } = await startNest(guard, [Chat])
    const client = await RawClient.connect(port)
    client.write(rawHandshake('/ws', ada))
    await asked
    await guard.drain()
    release()
    expect(await client.closeFrame()).toMatchObject({ code: 1012 })
    await app.close()
    expect(app.getHttpServer().listening).toBe(false)
  })

  it('holds what the gateway and the adapter are told', async () => {
    @WebSocketGateway({ path: '/ws', maxPayload: 100 })
    class Small extends Chat {}
    const guard = guardOfAll()
    const { url } = await startNest(guard, [Small], {
      admit: ({ id }: Identity) => id !== 'eve',
      messageParser: (data) => ({ event: 'say', data: String(data) }),
    })
    await expect(Client.open(url, { headers: eve })).rejects.toThrow('403')
    const client = await Client.open(url, { headers: ada })
    client.send('no JSON')
    expect(JSON.parse(await client.text())).toEqual({ event: 'said', data: 'ada: no JSON' })
    client.send('x'.repeat(101))
    expect((await client.closed).code).toBe(1009)
    const { url: other } = await start()
    const large = await Client.open(other, { headers: ada })
    large.send(Buffer.alloc(1_048_577))
    expect((await large.closed).code).toBe(1009)
  })

  it.each<[string, object, RegExp]>([
    ['a namespace', { path: '/ws', namespace: 'chat' }, /namespaces/],
    ['a path that is none', { path: '/ws?' }, /is no path/],
  ])('refuses a gateway with %s', async (_, options, message) => {
    @WebSocketGateway(options)
    class Wrong extends Chat {}
    await expect(startNest(guardOfAll(), [Wrong])).rejects.toThrow(message)
  })
})

describe('CurrentIdentity', () => {
  it('fails for a client that no guard has accepted', () => {
    class Handler {
      handle(@CurrentIdentity() _: Identity) {}
    }
    const args = Object.values(Reflect.getMetadata('__routeArguments__', Handler, 'handle') as object)
    const context = { switchToWs: () => ({ getClient: () => ({}) }) }
    expect(() => args[0].factory(undefined, context)).toThrow(TypeError)
  })
})
