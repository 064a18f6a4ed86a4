import { once } from 'node:events'
import { encodeBearer } from '@sallyport/protocol'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Client, type ClientCredential, type Closed } from '../support/client.js'
import { nextTurn } from '../support/deferred.js'
import { origin } from '../support/guard.js'
import { RawClient, type RawHeaders, rawAnswer, rawFrame, rawHandshake, rawOpen } from '../support/raw.js'
import { connectionLifeContract } from './adapter-life.js'
import { Scene, type SceneControl, type Setting, type StartServer } from './scene.js'

export type { ServerUnderTest, StartServer } from './scene.js'

/** Starts a server with the adapter under test; it is stopped when the test is over. */
export type StartScene = (setting?: Setting) => Promise<SceneControl>

const authorized = { Authorization: 'Bearer good-ada' }
const auth = (token: string) => JSON.stringify({ type: 'auth', token })

/** What becomes of a connection whose handler fails, where a framework sees to that itself. */
const afterFailure = {
  'closes it with 1011': { code: 1011, reason: 'Internal error' },
  'cuts it off': { code: 1006, reason: '' },
  'goes on': undefined,
} satisfies Record<string, Closed | undefined>

/** What a framework or a runtime does in a way of its own: each is a row in the table of its page. */
export interface Peculiarities {
  /** What becomes of a connection whose handler fails. */
  readonly failure?: keyof typeof afterFailure
  /** Whether messages wait for an asynchronous handler. */
  readonly waits?: boolean
  /** Whether the handler is given the request. */
  readonly givesRequest?: boolean
  /** Whether frames are kept that come while the handshake is decided. */
  readonly keepsEarlyFrames?: boolean
  /** Whether it can end a peer that does not want to go. */
  readonly endsPeers?: boolean
  /** Whether no more than 64 KiB are read of a peer that is over. */
  readonly limitsRest?: boolean
  /** Whether a peer that breaks the protocol is told so before it is cut off. */
  readonly tellsOfBrokenFrames?: boolean
}

/** What every adapter does. A new one is done when this is green. */
export function adapterContract(name: string, start: StartServer, peculiarities?: Peculiarities): void {
  const startHere: StartScene = async (setting = {}) => (await Scene.start(start, setting)) as unknown as SceneControl
  sceneContract(name, startHere, peculiarities)
}

/** The same about a server that may be in another process. */
export function sceneContract(
  name: string,
  startScene: StartScene,
  {
    failure = 'closes it with 1011',
    waits = true,
    givesRequest = true,
    keepsEarlyFrames = true,
    endsPeers = true,
    limitsRest = true,
    tellsOfBrokenFrames = true,
  }: Peculiarities = {},
): void {
  const start: StartScene = async (setting) => {
    const scene = await startScene(setting)
    onTestFinished(() => scene.stop())
    return scene
  }
  const urlOf = ({ port }: SceneControl) => `ws://127.0.0.1:${port}/ws`
  const open = (scene: SceneControl, { query = '', ...credential }: ClientCredential & { query?: string } = {}) =>
    Client.open(urlOf(scene) + query, credential)
  const openAs = (scene: SceneControl, who: string) => open(scene, { headers: { Authorization: `Bearer good-${who}` } })

  /** Somebody else who comes in all the same, and speaks. */
  async function control(scene: SceneControl, who = 'eve') {
    const client = await openAs(scene, who)
    client.send('control')
    expect(await client.text()).toBe('control')
  }

  describe(`adapter contract: ${name}`, () => {
    describe('accepts', () => {
      const credentials: Record<string, ClientCredential & { query?: string }> = {
        query: { query: '?token=good-ada' },
        header: { headers: authorized },
        cookie: { origin, headers: { Cookie: 'session=good-ada' } },
        subprotocol: { protocols: ['app.v1', encodeBearer('good-ada')] },
      }

      it.each(Object.entries(credentials))('by %s', async (method, credential) => {
        const client = await open(await start({ handler: 'who' }), credential)
        expect(await client.text()).toBe(`ada by ${method}`)
      })

      it('by ticket', async () => {
        const scene = await start({ handler: 'who' })
        const client = await open(scene, { query: `?ticket=${await scene.issueTicket()}` })
        expect(await client.text()).toBe('ada by ticket')
      })

      it('by first message', async () => {
        const client = await open(await start({ handler: 'who' }))
        client.send(auth('good-ada'))
        const { connection, ...ok } = JSON.parse(await client.text())
        expect(ok).toEqual({ type: 'auth_ok', userId: 'ada', expiresIn: 60 })
        expect(connection).toMatch(/^[\w-]{22}$/)
        expect(await client.text()).toBe('ada by message')
      })

      if (givesRequest) {
        it.each<[string, ClientCredential, string?]>([
          ['header', { headers: authorized }],
          ['first message', {}, auth('good-ada')],
        ])(
          'and gives the handler the request that came by %s, and the verifier too',
          async (_, credential, message) => {
            const scene = await start({ handler: 'request' })
            const headers = { ...credential.headers, 'X-A': 'b' }
            const client = await open(scene, { query: '?room=1', headers })
            if (message) client.send(message)
            expect(await scene.request()).toEqual({ target: '/ws?room=1', 'x-a': 'b', isVerified: true })
          },
        )
      }

      it('and tells the handler what the guard knows', async () => {
        const scene = await start({ handler: 'tell' })
        await open(scene, { query: '?token=good-ada&room=1', origin, protocols: ['app.v1'] })
        expect(await scene.told()).toEqual({
          identity: { id: 'ada' },
          session: 's-ada',
          expiresIn: 60_000,
          path: '/ws',
          origin,
          query: 'room=1',
          protocol: 'app.v1',
          isListed: true,
        })
      })
    })

    describe('refuses', () => {
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
        // So that no credential is a refusal.
        const scene = await start({ strict: true })
        const request = rawHandshake('/ws', { ...authorized, ...headers }, requestLine)
        const response = await rawAnswer(scene.port, request, endsPeers)
        expect(response.status).toBe(status)
        expect(response.headers.get('connection')).toBe(response.status === 426 ? 'close, Upgrade' : 'close')
        expect(response.headers.get('cache-control')).toBe('no-store')
        expect(response.headers.get('sec-websocket-accept')).toBeUndefined()
        expect(JSON.parse(response.body)).toEqual({ error: expect.any(String), message: expect.any(String) })
        expect(Number(response.headers.get('content-length'))).toBe(Buffer.byteLength(response.body, 'latin1'))
        expect(response.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : undefined)
        expect(response.headers.get('allow')).toBe(status === 405 ? 'GET' : undefined)
        expect(response.headers.get('upgrade')).toBe(status === 426 ? 'websocket' : undefined)
        await control(scene, 'ada')
        expect(await scene.seen()).toEqual(['handler ada', 'control'])
      })

      it.each<[string, number, Setting['verifier']]>([
        ['a dependency that is down', 503, 'is down'],
        ['a verifier that fails', 500, 'fails'],
      ])('%s with %i', async (_, status, verifier) => {
        const scene = await start({ verifier })
        const response = await rawAnswer(scene.port, rawHandshake('/ws', authorized), endsPeers)
        expect(response.status).toBe(status)
        expect(response.headers.get('retry-after')).toBe(status === 503 ? '5' : undefined)
        const { head } = await rawOpen(scene.port, '/ws', { Authorization: 'Bearer good-eve' })
        expect(head.status).toBe(101)
        expect(await scene.seen()).toEqual(['handler eve'])
      })

      it('a browser by Close, with a code that it can read, and without a word to the application', async () => {
        const scene = await start()
        const bad = Buffer.from(rawHandshake('/ws?token=bad', { Origin: origin }))
        const client = await RawClient.connect(scene.port)
        client.write(Buffer.concat([bad, rawFrame('in the same segment')]))
        expect((await client.head()).status).toBe(101)
        expect(await client.closeFrame()).toEqual({ code: 4001, reason: 'Authentication failed' })
        client.write(rawFrame('after the Close'))
        client.write(rawFrame(Buffer.from([0x0f, 0xa1]), { opcode: 8 }))
        await client.gone()
        expect(client.texts()).toEqual([])
        expect(await scene.seen()).toEqual([])
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
        const client = await openAs(await start({ handler: 'echo' }), 'ada')
        const answer = once(client.socket, 'message')
        client.send(message)
        const [data, isBinary] = await answer
        expect(data).toEqual(Buffer.from(message))
        expect(isBinary).toBe(typeof message !== 'string')
      })

      it('text that looks like a frame of ours on a connection that does not speak them', async () => {
        const client = await openAs(await start({ handler: 'echo' }), 'ada')
        client.send(auth('good-ada'))
        expect(await client.text()).toBe(auth('good-ada'))
      })
    })

    describe('opens the inner door once', () => {
      const frames = Buffer.concat([rawFrame('a'), rawFrame('b', { opcode: 2 }), rawFrame('c')])

      if (keepsEarlyFrames) {
        it('for frames in the same segment as the handshake, after acceptance', async () => {
          const scene = await start({ verifier: 'holds' })
          const client = await RawClient.connect(scene.port)
          client.write(Buffer.concat([Buffer.from(rawHandshake('/ws', authorized)), frames]))
          await scene.asked()
          expect(await scene.seen()).toEqual([])
          await scene.release()
          await client.until(() => client.frames().length === 3)
          expect(await scene.seen()).toEqual(['handler ada', 'a', 'b', 'c'])
        })
      }

      it('never for frames in the same segment as a handshake that is refused', async () => {
        const scene = await start({ verifier: 'holds' })
        const client = await RawClient.connect(scene.port)
        client.write(Buffer.concat([Buffer.from(rawHandshake('/ws', { Authorization: 'Bearer bad' })), frames]))
        await scene.asked()
        await scene.release()
        expect((await client.head()).status).toBe(keepsEarlyFrames ? 401 : 400)
        await control(scene)
        expect(await scene.seen()).toEqual(['handler eve', 'control'])
      })

      it('for frames behind the auth frame, after acceptance', async () => {
        const scene = await start({ verifier: 'holds' })
        const { client } = await rawOpen(scene.port, '/ws')
        client.write(Buffer.concat([rawFrame('dropped'), rawFrame(auth('good-ada')), frames]))
        await scene.asked()
        client.write(rawFrame('d'))
        expect(await scene.seen()).toEqual([])
        expect(client.frames()).toEqual([])
        await scene.release()
        await client.until(() => client.frames().length === 5)
        expect(JSON.parse(client.texts()[0]!)).toMatchObject({ type: 'auth_ok' })
        expect(await scene.seen()).toEqual(['handler ada', 'a', 'b', 'c', 'd'])
      })

      it('for a handshake, its auth frame and all that follows in one segment', async () => {
        const scene = await start()
        const client = await RawClient.connect(scene.port)
        client.write(Buffer.concat([Buffer.from(rawHandshake('/ws')), rawFrame(auth('good-ada')), frames]))
        await client.until(() => client.frames().length === 4)
        expect(await scene.seen()).toEqual(['handler ada', 'a', 'b', 'c'])
      })

      it('never for frames behind an auth frame that is refused', async () => {
        const scene = await start({ verifier: 'holds' })
        const { client } = await rawOpen(scene.port, '/ws')
        client.write(Buffer.concat([rawFrame(auth('bad')), frames]))
        await scene.asked()
        client.write(rawFrame('d'))
        await scene.release()
        expect(await client.closeFrame()).toEqual({ code: 4001, reason: 'Authentication failed' })
        expect(client.texts()).toEqual(['{"type":"auth_fail"}'])
        expect(await scene.seen()).toEqual([])
      })
    })

    describe('waits for an asynchronous handler', () => {
      if (waits) {
        it('and loses no message that comes before it listens', async () => {
          const scene = await start({ handler: 'slow' })
          const client = await RawClient.connect(scene.port)
          client.write(Buffer.concat([Buffer.from(rawHandshake('/ws', authorized)), rawFrame('a'), rawFrame('b')]))
          await scene.called()
          client.write(rawFrame('c'))
          await scene.letGo()
          expect(await client.textsUntil(3)).toEqual(['a', 'b', 'c'])
        })

        it('also behind a first message', async () => {
          const scene = await start({ handler: 'slow' })
          const { client } = await rawOpen(scene.port, '/ws')
          client.write(Buffer.concat([rawFrame(auth('good-ada')), rawFrame('a'), rawFrame('b')]))
          await scene.called()
          client.write(rawFrame('c'))
          await scene.letGo()
          expect((await client.textsUntil(4)).slice(1)).toEqual(['a', 'b', 'c'])
        })
      }

      it('without leaving the peer alone, when it never listens', async () => {
        const { port } = await start({ handler: 'feed' })
        const { client } = await rawOpen(port, '/ws', authorized)
        await client.textsUntil(1)
        client.write(rawFrame('a message that nobody wants'))
        await client.ping()
        client.write(rawFrame(Buffer.from([0x03, 0xe8]), { opcode: 8 }))
        expect((await client.closeFrame())?.code).toBe(1000)
      }, 3_000)
    })

    describe('survives', () => {
      it.each(['fails at once', 'fails by a promise', 'fails late, already listening'] as const)(
        `a handler that %s, and ${failure}`,
        async (handler) => {
          const scene = await start({ handler })
          const client = await openAs(scene, 'ada')
          await scene.letGo()
          client.socket.ping()
          const closed = afterFailure[failure]
          if (closed) expect(await client.closed).toEqual(closed)
          else await once(client.socket, 'pong')
          if (closed?.code === 1011) {
            expect(await scene.events()).toContainEqual({ type: 'ended', code: 'internal', error: 'handler bug' })
          }
          await control(scene)
        },
      )

      it('a peer that resets the connection while it is verified', async () => {
        const scene = await start({ verifier: 'holds ada' })
        const client = await RawClient.connect(scene.port)
        client.write(rawHandshake('/ws', authorized))
        await scene.asked()
        client.socket.resetAndDestroy()
        const other = await openAs(scene, 'eve')
        const say = async (text: string) => {
          other.send(text)
          expect(await other.text()).toBe(text)
        }
        // A handshake may be read before the reset that came first, in one turn with it; a message behind it is not.
        await say('before')
        await scene.release()
        await say('behind')
        expect(await scene.seen()).toEqual(['handler eve', 'before', 'behind'])
      })

      it('a peer that breaks the WebSocket protocol, and forgets it', async () => {
        const scene = await start({ handler: 'echo' })
        const { client, head } = await rawOpen(scene.port, '/ws', authorized)
        expect(head.status).toBe(101)
        expect(await scene.connections()).toEqual(['ada'])
        client.write(Buffer.from([0x83, 0x80, 0, 0, 0, 0]))
        if (tellsOfBrokenFrames) expect(await client.closeFrame()).toMatchObject({ code: 1002 })
        else await client.gone()
        client.destroy()
        await scene.until('closed')
        expect(await scene.connections()).toEqual([])
      })
    })

    describe('keeps the registry', () => {
      it('as long as the connection lives', async () => {
        const scene = await start({ handler: 'echo' })
        const client = await openAs(scene, 'ada')
        expect(await scene.connections()).toEqual(['ada'])
        await client.close()
        await scene.until('closed')
        expect(await scene.connections()).toEqual([])
      })

      it('so that a revocation reaches the peer', async () => {
        const scene = await start({ handler: 'echo' })
        const client = await openAs(scene, 'ada')
        const other = await openAs(scene, 'eve')
        expect(await scene.revoke({ session: 's-ada' })).toBe(1)
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
      async function over(scene: SceneControl, [, target, headers, then]: (typeof overs)[number]) {
        const { client, head } = await rawOpen(scene.port, target, headers)
        then(client)
        if (head.status === 101) {
          await scene.revoke({ user: 'eve' })
          await client.closeFrame()
        }
        return client
      }

      it.each(overs)('G20 keeps no place for it: %s', async (...row) => {
        const scene = await start({ pendingSockets: 1 })
        for (let i = 0; i < 3; i++) await over(scene, row)
        await control(scene, 'ada')
      })

      if (limitsRest) {
        it.each(overs)('G21 reads no more than 64 KiB of it: %s', async (...row) => {
          const scene = await start()
          const [patient, client] = [await over(scene, row), await over(scene, row)]
          const chunk = rawFrame(Buffer.alloc(16_384), { opcode: 2 })
          patient.write(Buffer.concat([chunk, chunk]))
          // Time stands still, so that nothing else ends it.
          for (let sent = 0; !client.socket.destroyed && sent < 1_000; sent++) {
            client.write(chunk)
            await nextTurn()
          }
          // By a reset, too.
          if (!client.socket.closed) await new Promise((resolve) => client.socket.once('close', resolve))
          expect(patient.socket.destroyed).toBe(false)
          expect((await scene.seen()).filter((line) => !line.startsWith('handler'))).toEqual([])
        })
      }
    })

    it('G70 ends a peer that sends more than a first message may have, and lets in who sends less', async () => {
      const scene = await start({ handler: 'who' })
      const [flood, client] = [await rawOpen(scene.port, '/ws'), await rawOpen(scene.port, '/ws')]
      const frame = rawFrame('x'.repeat(6_000))
      flood.client.write(Buffer.concat([frame, frame, frame, frame]))
      expect(await flood.client.closeFrame()).toMatchObject({ code: 1009 })
      client.client.write(Buffer.concat([frame, rawFrame(auth('good-ada'))]))
      expect((await client.client.textsUntil(2))[1]).toBe('ada by message')
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
        const { port } = await start({ handler: 'echo' })
        const { head } = await rawOpen(port, '/ws', headers)
        expect(head.status).toBe(101)
        expect(head.headers.get('sec-websocket-protocol')).toBe(selected)
      })
    })

    connectionLifeContract(start, { endsPeers })
  })
}
