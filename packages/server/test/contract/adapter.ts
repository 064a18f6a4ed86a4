import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { encodeBearer } from '@sallyport/protocol'
import {
  createGuard,
  type Guard,
  type GuardEvent,
  type Identity,
  UnavailableError,
  type Verifier,
} from '@sallyport/server'
import type { ConnectionHandler } from '@sallyport/server/ws'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import { Client, type ClientCredential, type Closed } from '../support/client.js'
import { testClock } from '../support/clock.js'
import { deferred, nextTurn } from '../support/deferred.js'
import { allMethods, origin, verifyGood } from '../support/guard.js'
import { handshake } from '../support/handshake.js'
import { held } from '../support/held.js'
import { RawClient, type RawHeaders, rawFrame, rawHandshake, rawOpen, rawRequest } from '../support/raw.js'
import { connectionLifeContract } from './adapter-life.js'

/** A live server whose WebSocket route is `/ws`. */
export interface ServerUnderTest {
  readonly url: string
  readonly port: number
}

/** Starts a server with the adapter under test; it is stopped when the test is over. */
export type StartServer = (
  guard: Guard<Identity>,
  onConnection: ConnectionHandler<Identity>,
) => Promise<ServerUnderTest>

const authorized = { Authorization: 'Bearer good-ada' }
const auth = (token: string) => JSON.stringify({ type: 'auth', token })

/** What becomes of a connection whose handler fails, where a framework sees to that itself. */
const afterFailure = {
  'closes it with 1011': { code: 1011, reason: 'Internal error' },
  'cuts it off': { code: 1006, reason: '' },
  'goes on': undefined,
} satisfies Record<string, Closed | undefined>

/** What a framework does in a way of its own: each is a row in the table of its page. */
export interface Peculiarities {
  /** What becomes of a connection whose handler fails. */
  readonly failure?: keyof typeof afterFailure
  /** Whether messages wait for an asynchronous handler. */
  readonly waits?: boolean
}

/** What every adapter does. A new one is done when this is green. */
export function adapterContract(
  name: string,
  start: StartServer,
  { failure = 'closes it with 1011', waits = true }: Peculiarities = {},
): void {
  const clock = testClock()
  const guardOf = (verify: Verifier<Identity> = verifyGood) => createGuard({ ...allMethods(verify), clock })

  /** A server that keeps what its application gets to see, in order. */
  async function startRecording(guard: Guard<Identity>) {
    const seen: string[] = []
    const { port, url } = await start(guard, (socket, { identity }) => {
      seen.push(`handler ${identity.id}`)
      socket.on('message', (data, isBinary) => {
        seen.push(String(data))
        socket.send(data, { binary: isBinary })
      })
    })
    return { port, url, seen }
  }

  const echo = (socket: WebSocket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  }

  describe(`adapter contract: ${name}`, () => {
    describe('accepts', () => {
      const credentials: Record<string, ClientCredential & { query?: string }> = {
        query: { query: '?token=good-ada' },
        header: { headers: authorized },
        cookie: { origin, headers: { Cookie: 'session=good-ada' } },
        subprotocol: { protocols: ['app.v1', encodeBearer('good-ada')] },
      }

      const who: ConnectionHandler<Identity> = (socket, { identity, method }) => {
        socket.send(`${identity.id} by ${method}`)
      }

      it.each(Object.entries(credentials))('by %s', async (method, { query = '', ...options }) => {
        const { url } = await start(guardOf(), who)
        const client = await Client.open(url + query, options)
        expect(await client.text()).toBe(`ada by ${method}`)
      })

      it('by ticket', async () => {
        const guard = guardOf()
        const { url } = await start(guard, who)
        const issued = await guard.issueTicket(handshake({ headers: [['authorization', 'Bearer good-ada']] }), '/ws')
        const client = await Client.open(`${url}?ticket=${'ticket' in issued ? issued.ticket : ''}`)
        expect(await client.text()).toBe('ada by ticket')
      })

      it('by first message', async () => {
        const { url } = await start(guardOf(), who)
        const client = await Client.open(url)
        client.send(auth('good-ada'))
        const { connection, ...ok } = JSON.parse(await client.text())
        expect(ok).toEqual({ type: 'auth_ok', userId: 'ada', expiresIn: 60 })
        expect(connection).toMatch(/^[\w-]{22}$/)
        expect(await client.text()).toBe('ada by message')
      })

      it.each<[string, ClientCredential, string?]>([
        ['header', { headers: authorized }],
        ['first message', {}, auth('good-ada')],
      ])('and gives the handler the request that came by %s, and the verifier too', async (_, credential, message) => {
        const { promise, resolve } = deferred<IncomingMessage>()
        const seen: unknown[] = []
        const guard = guardOf((token, context) => {
          seen.push(context.handshake.request)
          return verifyGood(token, context)
        })
        const { url } = await start(guard, (_, __, request) => resolve(request))
        const client = await Client.open(`${url}?room=1`, {
          ...credential,
          headers: { ...credential.headers, 'X-A': 'b' },
        })
        if (message) client.send(message)
        const request = await promise
        expect([request.url, request.headers['x-a']]).toEqual(['/ws?room=1', 'b'])
        expect(seen).toEqual([request])
      })

      it('and tells the handler what the guard knows', async () => {
        const guard = guardOf()
        const { promise, resolve } = deferred<unknown>()
        const { url } = await start(guard, (_, connection) => {
          const { identity, session, expiresAt, path, origin, query, protocol } = connection
          resolve({ identity, session, expiresAt, path, origin, query: query.toString(), protocol })
          expect(guard.connections.get(connection.id)).toBe(connection)
        })
        await Client.open(`${url}?token=good-ada&room=1`, { origin, protocols: ['app.v1'] })
        expect(await promise).toEqual({
          identity: { id: 'ada' },
          session: 's-ada',
          expiresAt: clock.now() + 60_000,
          path: '/ws',
          origin,
          query: 'room=1',
          protocol: 'app.v1',
        })
      })
    })

    describe('refuses', () => {
      const { accept, ...options } = allMethods()
      // Without first message, so that no credential is a refusal.
      const strict = () => createGuard({ ...options, accept: accept.slice(0, -1), clock })
      const refusals: [string, number, RawHeaders, string?][] = [
        ['no credential', 401, { Authorization: undefined }],
        ['a bad credential', 401, { Authorization: 'Bearer bad' }],
        ['a malformed credential', 400, { Authorization: 'Basic good-ada' }],
        ['two credentials', 400, {}, 'GET /ws?token=good-ada HTTP/1.1'],
        [
          'a foreign origin',
          403,
          { Authorization: undefined, Cookie: 'session=good-ada', Origin: 'https://evil.example' },
        ],
        ['another HTTP method', 405, {}, 'POST /ws HTTP/1.1'],
        ['another version of WebSocket', 426, { 'Sec-WebSocket-Version': '8' }],
        ['a broken key', 400, { 'Sec-WebSocket-Key': 'short' }],
      ]

      it.each(refusals)('%s with %i', async (_, status, headers, requestLine) => {
        const { port, url, seen } = await startRecording(strict())
        const response = await rawRequest(port, rawHandshake('/ws', { ...authorized, ...headers }, requestLine))
        expect(response.status).toBe(status)
        expect(response.headers.get('connection')).toBe(response.status === 426 ? 'close, Upgrade' : 'close')
        expect(response.headers.get('cache-control')).toBe('no-store')
        expect(response.headers.get('sec-websocket-accept')).toBeUndefined()
        expect(JSON.parse(response.body)).toEqual({ error: expect.any(String), message: expect.any(String) })
        expect(Number(response.headers.get('content-length'))).toBe(Buffer.byteLength(response.body, 'latin1'))
        expect(response.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : undefined)
        expect(response.headers.get('allow')).toBe(status === 405 ? 'GET' : undefined)
        expect(response.headers.get('upgrade')).toBe(status === 426 ? 'websocket' : undefined)
        const control = await Client.open(url, { headers: authorized })
        control.send('control')
        expect(await control.text()).toBe('control')
        expect(seen).toEqual(['handler ada', 'control'])
      })

      it.each([
        ['a dependency that is down', 503, () => new UnavailableError('down')],
        ['a verifier that fails', 500, () => new Error('bug')],
      ])('%s with %i', async (_, status, failure) => {
        const { port, seen } = await startRecording(
          guardOf((credential, context) => {
            if (credential === 'good-ada') throw failure()
            return verifyGood(credential, context)
          }),
        )
        const response = await rawRequest(port, rawHandshake('/ws', authorized))
        expect(response.status).toBe(status)
        expect(response.headers.get('retry-after')).toBe(status === 503 ? '5' : undefined)
        const { head } = await rawOpen(port, '/ws', { Authorization: 'Bearer good-eve' })
        expect(head.status).toBe(101)
        expect(seen).toEqual(['handler eve'])
      })

      it('a browser by Close, with a code that it can read, and without a word to the application', async () => {
        const { port, seen } = await startRecording(guardOf())
        const bad = Buffer.from(rawHandshake('/ws?token=bad', { Origin: origin }))
        const client = await RawClient.connect(port)
        client.write(Buffer.concat([bad, rawFrame('in the same segment')]))
        expect((await client.head()).status).toBe(101)
        expect(await client.closeFrame()).toEqual({ code: 4001, reason: 'Authentication failed' })
        client.write(rawFrame('after the Close'))
        client.write(rawFrame(Buffer.from([0x0f, 0xa1]), { opcode: 8 }))
        await client.gone()
        expect(client.texts()).toEqual([])
        expect(seen).toEqual([])
      })
    })

    describe('carries', () => {
      it.each([
        ['text', 'grüße 🔑'],
        ['an empty text', ''],
        ['a long text', 'x'.repeat(100_000)],
        ['binary', Buffer.from([0, 255, 128, 10])],
        ['an empty binary', Buffer.alloc(0)],
      ])('%s, and leaves it what it is', async (_, message) => {
        const { url } = await start(guardOf(), echo)
        const client = await Client.open(url, { headers: authorized })
        const answer = once(client.socket, 'message')
        client.send(message)
        const [data, isBinary] = await answer
        expect(data).toEqual(Buffer.from(message))
        expect(isBinary).toBe(typeof message !== 'string')
      })

      it('text that looks like a frame of ours on a connection that does not speak them', async () => {
        const { url } = await start(guardOf(), echo)
        const client = await Client.open(url, { headers: authorized })
        client.send(auth('good-ada'))
        expect(await client.text()).toBe(auth('good-ada'))
      })
    })

    describe('opens the inner door once', () => {
      const frames = Buffer.concat([rawFrame('a'), rawFrame('b', { opcode: 2 }), rawFrame('c')])

      it('for frames in the same segment as the handshake, after acceptance', async () => {
        const { verify, asked, release } = held()
        const { port, seen } = await startRecording(guardOf(verify))
        const client = await RawClient.connect(port)
        client.write(Buffer.concat([Buffer.from(rawHandshake('/ws', authorized)), frames]))
        await asked
        expect(seen).toEqual([])
        release()
        await client.until(() => client.frames().length === 3)
        expect(seen).toEqual(['handler ada', 'a', 'b', 'c'])
      })

      it('never for frames in the same segment as a handshake that is refused', async () => {
        const { verify, asked, release } = held()
        const { port, seen } = await startRecording(guardOf(verify))
        const client = await RawClient.connect(port)
        client.write(Buffer.concat([Buffer.from(rawHandshake('/ws', { Authorization: 'Bearer bad' })), frames]))
        await asked
        release()
        expect((await client.toEnd()).status).toBe(401)
        expect(seen).toEqual([])
      })

      it('for frames behind the auth frame, after acceptance', async () => {
        const { verify, asked, release } = held()
        const { port, seen } = await startRecording(guardOf(verify))
        const { client } = await rawOpen(port, '/ws')
        client.write(Buffer.concat([rawFrame('dropped'), rawFrame(auth('good-ada')), frames]))
        await asked
        client.write(rawFrame('d'))
        expect(seen).toEqual([])
        expect(client.frames()).toEqual([])
        release()
        await client.until(() => client.frames().length === 5)
        expect(JSON.parse(client.texts()[0]!)).toMatchObject({ type: 'auth_ok' })
        expect(seen).toEqual(['handler ada', 'a', 'b', 'c', 'd'])
      })

      it('for a handshake, its auth frame and all that follows in one segment', async () => {
        const { port, seen } = await startRecording(guardOf())
        const client = await RawClient.connect(port)
        client.write(Buffer.concat([Buffer.from(rawHandshake('/ws')), rawFrame(auth('good-ada')), frames]))
        await client.until(() => client.frames().length === 4)
        expect(seen).toEqual(['handler ada', 'a', 'b', 'c'])
      })

      it('never for frames behind an auth frame that is refused', async () => {
        const { verify, asked, release } = held()
        const { port, seen } = await startRecording(guardOf(verify))
        const { client } = await rawOpen(port, '/ws')
        client.write(Buffer.concat([rawFrame(auth('bad')), frames]))
        await asked
        client.write(rawFrame('d'))
        release()
        expect(await client.closeFrame()).toEqual({ code: 4001, reason: 'Authentication failed' })
        expect(client.texts()).toEqual(['{"type":"auth_fail"}'])
        expect(seen).toEqual([])
      })
    })

    describe('waits for an asynchronous handler', () => {
      async function startSlow(guard: Guard<Identity>, until: Promise<void>) {
        const called = deferred()
        const server = await start(guard, async (socket) => {
          called.resolve()
          await until
          echo(socket)
        })
        return { ...server, called: called.promise }
      }

      if (waits) {
        it('and loses no message that comes before it listens', async () => {
          const { promise, resolve } = deferred()
          const { port, called } = await startSlow(guardOf(), promise)
          const client = await RawClient.connect(port)
          client.write(Buffer.concat([Buffer.from(rawHandshake('/ws', authorized)), rawFrame('a'), rawFrame('b')]))
          await called
          client.write(rawFrame('c'))
          resolve()
          expect(await client.textsUntil(3)).toEqual(['a', 'b', 'c'])
        })

        it('also behind a first message', async () => {
          const { promise, resolve } = deferred()
          const { port, called } = await startSlow(guardOf(), promise)
          const { client } = await rawOpen(port, '/ws')
          client.write(Buffer.concat([rawFrame(auth('good-ada')), rawFrame('a'), rawFrame('b')]))
          await called
          client.write(rawFrame('c'))
          resolve()
          expect((await client.textsUntil(4)).slice(1)).toEqual(['a', 'b', 'c'])
        })
      }

      it('without leaving the peer alone, when it never listens', async () => {
        const guard = guardOf()
        const { port } = await start(guard, async (socket) => {
          socket.send('feed')
          await new Promise(() => {})
        })
        const { client } = await rawOpen(port, '/ws', authorized)
        await client.textsUntil(1)
        client.write(rawFrame('a message that nobody wants'))
        await client.ping()
        client.write(rawFrame(Buffer.from([0x03, 0xe8]), { opcode: 8 }))
        expect((await client.closeFrame())?.code).toBe(1000)
      }, 3_000)
    })

    describe('survives', () => {
      it.each<[string, ConnectionHandler<Identity>]>([
        [
          'throws',
          () => {
            throw new Error('handler bug')
          },
        ],
        [
          'rejects',
          async () => {
            throw new Error('handler bug')
          },
        ],
        [
          'rejects late, already listening',
          async (socket) => {
            socket.on('message', () => {})
            await once(socket, 'ping')
            throw new Error('handler bug')
          },
        ],
      ])(`a handler that %s, and ${failure}`, async (_, handler) => {
        const guard = guardOf()
        const events: GuardEvent[] = []
        guard.subscribe((event) => events.push(event))
        const { url } = await start(guard, (socket, connection, request) =>
          connection.identity.id === 'ada' ? handler(socket, connection, request) : echo(socket),
        )
        const client = await Client.open(url, { headers: authorized })
        client.socket.ping()
        const closed = afterFailure[failure]
        if (closed) expect(await client.closed).toEqual(closed)
        else await once(client.socket, 'pong')
        if (closed?.code === 1011) {
          const error = new Error('handler bug')
          expect(events).toContainEqual(expect.objectContaining({ type: 'ended', code: 'internal', error }))
        }
        const control = await Client.open(url, { headers: { Authorization: 'Bearer good-eve' } })
        control.send('control')
        expect(await control.text()).toBe('control')
      })

      it('a peer that resets the connection while it is verified', async () => {
        const { verify, asked, release } = held()
        const { port, url, seen } = await startRecording(
          guardOf((credential, context) => (credential === 'good-ada' ? verify : verifyGood)(credential, context)),
        )
        const client = await RawClient.connect(port)
        client.write(rawHandshake('/ws', authorized))
        await asked
        client.socket.resetAndDestroy()
        // By the time the server has answered somebody else, it has seen the reset.
        const control = await Client.open(url, { headers: { Authorization: 'Bearer good-eve' } })
        release()
        control.send('control')
        expect(await control.text()).toBe('control')
        expect(seen).toEqual(['handler eve', 'control'])
      })

      it('a peer that breaks the WebSocket protocol, and forgets it', async () => {
        const guard = guardOf()
        const { port } = await start(guard, echo)
        const { client, head } = await rawOpen(port, '/ws', authorized)
        expect(head.status).toBe(101)
        expect(guard.connections.size).toBe(1)
        const closed = new Promise((resolve) => guard.subscribe(({ type }) => type === 'closed' && resolve(type)))
        client.write(Buffer.from([0x83, 0x80, 0, 0, 0, 0]))
        expect(await client.closeFrame()).toMatchObject({ code: 1002 })
        client.destroy()
        await closed
        expect(guard.connections.size).toBe(0)
      })
    })

    describe('keeps the registry', () => {
      it('as long as the connection lives', async () => {
        const guard = guardOf()
        const closed = new Promise((resolve) => guard.subscribe(({ type }) => type === 'closed' && resolve(type)))
        const { url } = await start(guard, echo)
        const client = await Client.open(url, { headers: authorized })
        expect([...guard.connections].map(({ identity }) => identity.id)).toEqual(['ada'])
        await client.close()
        await closed
        expect(guard.connections.size).toBe(0)
      })

      it('so that a revocation reaches the peer', async () => {
        const guard = guardOf()
        const { url } = await start(guard, echo)
        const client = await Client.open(url, { headers: authorized })
        const other = await Client.open(url, { headers: { Authorization: 'Bearer good-eve' } })
        expect(await guard.revoke({ session: 's-ada' })).toMatchObject({ closed: 1 })
        expect(await client.closed).toEqual({ code: 4010, reason: 'Revoked' })
        other.send('control')
        expect(await other.text()).toBe('control')
      })
    })

    describe('is done with a peer that is over', () => {
      const overs: [string, string, RawHeaders, (client: RawClient) => void][] = [
        ['refused by status', '/ws', { Authorization: 'Bearer bad' }, () => {}],
        ['refused by Close', '/ws?token=bad', { Origin: origin }, () => {}],
        ['refused by its first message', '/ws', {}, (client) => client.write(rawFrame(auth('bad')))],
        ['revoked', '/ws', { Authorization: 'Bearer good-eve' }, () => {}],
      ]

      /** A peer that is told that it is over, and does not close. */
      async function over(guard: Guard<Identity>, port: number, [, target, headers, then]: (typeof overs)[number]) {
        const { client, head } = await rawOpen(port, target, headers)
        then(client)
        if (head.status === 101) {
          await guard.revoke({ user: 'eve' })
          await client.closeFrame()
        }
        return client
      }

      it.each(overs)('G20 keeps no place for it: %s', async (...row) => {
        const guard = createGuard({ ...allMethods(), clock, limits: { pendingSockets: 1 } })
        const { port, url } = await start(guard, echo)
        for (let i = 0; i < 3; i++) await over(guard, port, row)
        const control = await Client.open(url, { headers: authorized })
        control.send('control')
        expect(await control.text()).toBe('control')
      })

      it.each(overs)('G21 reads no more than 64 KiB of it: %s', async (...row) => {
        const guard = guardOf()
        const { port, seen } = await startRecording(guard)
        const [patient, client] = [await over(guard, port, row), await over(guard, port, row)]
        const chunk = rawFrame(Buffer.alloc(16_384), { opcode: 2 })
        patient.write(Buffer.concat([chunk, chunk]))
        // Time stands still, so that nothing else ends it.
        for (let sent = 0; !client.socket.destroyed && sent < 1_000; sent++) {
          client.write(chunk)
          await nextTurn()
        }
        if (!client.socket.closed) await once(client.socket, 'close')
        expect(patient.socket.destroyed).toBe(false)
        expect(seen.filter((line) => !line.startsWith('handler'))).toEqual([])
      })
    })

    describe('selects a subprotocol', () => {
      const bearer = encodeBearer('good-ada')
      const offers: [string, RawHeaders, string | undefined][] = [
        ['that is allowed', { ...authorized, 'Sec-WebSocket-Protocol': 'app.v1' }, 'app.v1'],
        ['that is allowed, behind another', { ...authorized, 'Sec-WebSocket-Protocol': 'app.v2, app.v1' }, 'app.v1'],
        ['never one that is not allowed', { ...authorized, 'Sec-WebSocket-Protocol': 'app.v2' }, undefined],
        ['never when none was offered', authorized, undefined],
        ['never a credential', { 'Sec-WebSocket-Protocol': `${bearer}, app.v1` }, 'app.v1'],
        [
          'never a credential beside one that is not allowed',
          { 'Sec-WebSocket-Protocol': `${bearer}, app.v2` },
          undefined,
        ],
        ['when it waits for the first message', { 'Sec-WebSocket-Protocol': 'app.v2, app.v1' }, 'app.v1'],
        [
          'when it refuses by Close',
          { Origin: origin, 'Sec-WebSocket-Protocol': 'app.v1, sallyport.bearer.YmFk' },
          'app.v1',
        ],
      ]

      it.each(offers)('%s', async (_, headers, selected) => {
        const { port } = await start(guardOf(), echo)
        const { head } = await rawOpen(port, '/ws', headers)
        expect(head.status).toBe(101)
        expect(head.headers.get('sec-websocket-protocol')).toBe(selected)
      })
    })

    connectionLifeContract(start)
  })
}
