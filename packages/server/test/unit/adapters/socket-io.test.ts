import { once } from 'node:events'
import { connectionOf } from '@sallyport/server/socket-io'
import { describe, expect, it } from 'vitest'
import { credentialOf } from '../../support/claims.js'
import { origin } from '../../support/guard.js'
import { type ClientOptions, connect, nextOf, refusal, settled, startSocketIo } from '../../support/socket-io.js'

const token = credentialOf()
const authorization = { Authorization: `Bearer ${token}` }
const now = Date.UTC(2026, 0, 1)
const short = credentialOf({ issuedAt: now, expiresAt: now + 60_000 })
const transports = [['polling'], ['websocket'], ['polling', 'websocket']]

describe.each(transports.map((transports) => ({ name: transports.join(' then '), transports })))(
  'over $name',
  ({ transports }) => {
    const ways: Record<string, ClientOptions> = {
      message: { auth: { token } },
      query: { query: { token: short } },
      header: { extraHeaders: authorization },
      cookie: { extraHeaders: { Cookie: `session=${token}`, Origin: origin } },
    }

    it.each(Object.entries(ways))('lets in by %s', async (method, options) => {
      const { url, guard, sockets, seen } = await startSocketIo()
      const { socket } = await connect(url, { transports, ...options })
      const connection = connectionOf(guard, sockets[0]!)
      expect([connection.identity.id, connection.method, connection.path]).toEqual(['ada', method, '/socket.io/'])
      expect(guard.connections.get(connection.id)).toBe(connection)
      expect(await socket.emitWithAck('say', 'hello')).toBe('echo hello')
      expect(seen).toEqual(['hello'])
      expect([guard.pending, String(connection.query).includes('token')]).toEqual([0, false])
    })

    it('lets in by a ticket in auth, once', async () => {
      const { url, guard, sockets } = await startSocketIo()
      const response = await fetch(`${url}/socket.io/ticket`, { method: 'POST', headers: authorization })
      expect(response.status).toBe(201)
      const { ticket } = (await response.json()) as { ticket: string }
      await connect(url, { transports, auth: (give) => give({ ticket }) })
      expect(connectionOf(guard, sockets[0]!).method).toBe('ticket')
      expect(await refusal(url, { transports, auth: { ticket } })).toMatchObject({ code: 4001 })
    })

    it('refuses by a connect_error that says why', async () => {
      const { url, sockets, reasons, guard } = await startSocketIo()
      expect(await refusal(url, { transports, auth: { token: 'bad' } })).toEqual({
        code: 4001,
        reason: 'Authentication failed',
      })
      expect(await refusal(url, { transports })).toEqual({ code: 4001, reason: 'Authentication failed' })
      expect(await refusal(url, { transports, auth: { token }, extraHeaders: authorization })).toMatchObject({
        code: 1008,
      })
      expect(reasons()).toEqual(['credential-unknown', 'credential-absent', 'credentials-conflict'])
      expect([sockets.length, guard.connections.size]).toEqual([0, 0])
      await connect(url, { transports, auth: { token } })
      expect(sockets).toHaveLength(1)
    })

    it('ends who is revoked: no packet in either direction, and it does not come again', async () => {
      const { url, guard, io, sockets, seen } = await startSocketIo()
      const { socket, heard } = await connect(url, { transports, auth: { token }, reconnection: true })
      await settled(sockets[0]!, transports.at(-1)!)
      await sockets[0]!.join('room')
      const disconnected = nextOf(socket, 'disconnect')
      const left = once(sockets[0]!, 'disconnect')
      await guard.revoke({ user: 'ada' })
      expect((await left)[0]).toBe('server namespace disconnect')
      io.to('room').emit('secret')
      io.emit('secret')
      sockets[0]!.emit('secret')
      socket.emit('say', 'late')
      expect((await disconnected)[0]).toBe('io server disconnect')
      expect(socket.active).toBe(false)
      expect(heard).toEqual([['sallyport:end', { code: 4010, reason: 'Revoked' }]])
      expect(seen).toEqual([])
      expect(guard.connections.size).toBe(0)
    })

    it('ends who has expired, who comes again by itself', async () => {
      const { url, guard, clock, io, sockets } = await startSocketIo()
      let tokens = 0
      const life = () => credentialOf({ issuedAt: clock.now(), expiresAt: clock.now() + 10_000, token: `t${tokens++}` })
      const { socket, heard } = await connect(url, {
        transports,
        auth: (give) => give({ token: life() }),
        reconnection: true,
        reconnectionDelay: 1,
      })
      await settled(sockets[0]!, transports.at(-1)!)
      const again = nextOf(socket, 'connect')
      clock.advance(15_000)
      io.emit('secret')
      await again
      expect(heard.at(-1)).toEqual(['sallyport:end', { code: 4019, reason: 'Credential expired' }])
      expect(heard.flat()).not.toContain('secret')
      expect(sockets.map((each) => connectionOf(guard, each).token)).toEqual(['t0', 't1'])
      expect(guard.connections.size).toBe(1)
    })
  },
)
