import { encodeBearer } from '@sallyport/protocol'
import { createGuard, createRoutes, firstMessage, type Guard, type Handshake, rejected } from '@sallyport/server'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { allMethods, guardOfAll, origin, verifyGood } from '../support/guard.js'
import { handshake, withLine, withParameter } from '../support/handshake.js'
import { RawClient, rawFrame, rawHandshake, rawRequest } from '../support/raw.js'
import { expectRefusal, expectTurnedAway } from '../support/refusal.js'
import { startServer } from '../support/server.js'

/** How each carrier of a bearer credential brings it. */
const ways: Record<string, (credential: string) => Handshake> = {
  query: (credential) => withParameter(handshake(), `token=${encodeURIComponent(credential)}`),
  header: (credential) => withLine(handshake(), 'authorization', `Bearer ${credential}`),
  subprotocol: (credential) => withLine(handshake(), 'sec-websocket-protocol', `app.v1, ${encodeBearer(credential)}`),
  message: (credential) => ({ ...handshake(), message: credential }),
}
const cookie = (credential: string) =>
  withLine(withLine(handshake(), 'cookie', `session=${credential}`), 'origin', origin)

const reasonOf = async (guard: Guard, request: Handshake) => {
  const verdict = await guard.decide(request)
  return verdict.type === 'refuse' ? verdict.reason : verdict.type
}

const printable = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 40,
})

describe.each(Object.entries(ways))('A: a credential by %s', (_, present) => {
  it('A29 is whatever its issuer makes of printable ASCII', async () => {
    const verify = vi.fn((credential: string) => ({ identity: { id: credential } }))
    const { accept, ...options } = allMethods(verify)
    const guard = createGuard({
      ...options,
      accept: accept.map((method) => (method.name === 'query' ? { ...method, verify } : method)),
    })
    for (const key of ['5|abc', 'key!', 'sk_live_51=', '"quoted"', 'a,b;c', '{}', '%41', '\\"\\"']) {
      expect(await guard.decide(present(key))).toMatchObject({ type: 'accept', identity: { id: key } })
    }
    await fc.assert(
      fc.asyncProperty(printable, async (key) => {
        expect(await guard.decide(present(key))).toMatchObject({ type: 'accept', identity: { id: key } })
      }),
    )
  })

  it.each(['5 abc', 'key\u0000', 'key\n', 'cl\u00e9', '\u{1f511}'])('A29 is not %j', async (text) => {
    const verify = vi.fn(verifyGood)
    expect(await reasonOf(guardOfAll(verify), present(`good-${text}`))).toBe('credential-malformed')
    expect(verify).not.toHaveBeenCalled()
    expect(await reasonOf(guardOfAll(), present('good-key'))).toBe('accept')
  })
})

describe.each(Object.entries({ ...ways, cookie }))('A: the length of a credential by %s', (_, present) => {
  const ofSize = (bytes: number) => `good-${'a'.repeat(bytes - 5)}`

  it.each([100, 8_192, 12_000])('A30 is limited by one option: %i', async (credentialBytes) => {
    const verify = vi.fn(verifyGood)
    const options = allMethods(verify)
    const guard = createGuard({ ...options, limits: { ...options.limits, credentialBytes } })
    expect(await reasonOf(guard, present(ofSize(credentialBytes)))).toBe('accept')
    verify.mockClear()
    expect(await reasonOf(guard, present(ofSize(credentialBytes + 1)))).toBe('credential-too-large')
    expect(verify).not.toHaveBeenCalled()
  })

  it('A30 is 8,192 bytes unless it is said', async () => {
    expect(await reasonOf(guardOfAll(), present(ofSize(8_192)))).toBe('accept')
    expect(await reasonOf(guardOfAll(), present(ofSize(8_193)))).toBe('credential-too-large')
  })
})

describe('A: a credential that is too long', () => {
  const long = `good-${'a'.repeat(8_204)}`

  it('A30 is told so, with the option, by status; to a browser by Close', async () => {
    const { port } = await startServer(guardOfAll())
    const { body } = await expectRefusal(port, rawHandshake('/ws', { Authorization: `Bearer ${long}` }), 431)
    expect(JSON.parse(body)).toEqual({
      error: 'credentialTooLarge',
      message: 'The credential is longer than limits.credentialBytes of the guard allows.',
    })
    await expectTurnedAway(port, rawHandshake(`/ws?token=${long}`, { Origin: origin }), {
      code: 1009,
      reason: 'Credential too large',
    })
    const post = { Connection: 'close', Upgrade: undefined, Authorization: `Bearer ${long}` }
    expect((await rawRequest(port, rawHandshake('', post, 'POST /ws/ticket HTTP/1.1'))).status).toBe(431)
  })

  it('A30 renews nothing by its frame, and its connection keeps what it has', async () => {
    const guard = guardOfAll()
    const { port } = await startServer(guard)
    const client = await RawClient.connect(port)
    const auth = (token: string) => rawFrame(JSON.stringify({ type: 'auth', token }))
    client.write(Buffer.concat([Buffer.from(rawHandshake('/ws')), auth('good-ada')]))
    expect(await client.textsUntil(2)).toHaveLength(2)
    client.write(auth(long))
    expect((await client.textsUntil(3))[2]).toBe('{"type":"auth_fail"}')
    expect(guard.connections.size).toBe(1)
    client.destroy()
  })

  // JSON may escape every character: what may be sent must not be less than what may be meant.
  it('A30 is not one whose characters are escaped', async () => {
    const worst = '"\\'.repeat(4_096)
    const verify = vi.fn((credential: string) =>
      credential === worst ? { identity: { id: 'ada' } } : rejected('credential-unknown'),
    )
    const { port } = await startServer(createGuard({ accept: [firstMessage({ verify })] }))
    const client = await RawClient.connect(port)
    client.write(rawHandshake('/ws'))
    expect((await client.head()).status).toBe(101)
    const frame = rawFrame(JSON.stringify({ type: 'auth', token: worst }))
    // A few bytes at a time, so that all of them are counted before the message is there.
    for (let at = 0; at < frame.length; at += 4_000) client.write(frame.subarray(at, at + 4_000))
    expect((await client.textsUntil(2))[1]).toBe('hello ada')
    client.destroy()
  })

  it('A30 is one of a route, too', async () => {
    const routes = createRoutes(guardOfAll(), { path: '/ws' })
    const call = (token: string) =>
      routes.fetch(
        new Request('http://test/ws/ticket', { method: 'POST', headers: { Authorization: `Bearer ${token}` } }),
      )
    expect((await call(long.slice(0, 8_192)))?.status).toBe(201)
    expect((await call(long))?.status).toBe(431)
  })
})
