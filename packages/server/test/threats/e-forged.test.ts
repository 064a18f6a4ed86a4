import { describe, expect, it } from 'vitest'
import { authFrame, credentialOf, live, sendAuth, settled } from '../support/live.js'

const minute = 60_000
const nonce = 'bm9uY2Ugb2YgMTYgYnl0ZQ'
const other = 'YW5vdGhlciBvZiBvdXIgMQ'

const authWith = (credential: string, nonce: string) => JSON.stringify({ type: 'auth', token: credential, nonce })

/** A connection that authenticated by first message, with a nonce or without. */
async function open(own: string | undefined, id = 'ada') {
  const set = live()
  const claims = (changes = {}) =>
    credentialOf({ id, issuedAt: set.clock.now(), expiresAt: set.clock.now() + 10 * minute, ...changes })
  const client = await set.server.connect()
  /** Sends an `auth` frame, and answers what the client hears next. */
  const ask = async (credential: string, nonce = own) => {
    client.send(nonce === undefined ? authFrame(credential) : authWith(credential, nonce))
    return JSON.parse(String(await client.receive())) as Record<string, unknown>
  }
  const first = await ask(claims())
  return { ...set, claims, client, ask, first }
}

describe('E26 frames that other users have written', () => {
  it('E26 answers every frame of a client with the nonce that the client sent, and without one to one that sent none', async () => {
    for (const own of [nonce, undefined]) {
      const { ask, claims, client, clock, first } = await open(own)
      const renewed = await ask(claims())
      const refused = await ask('bad')
      clock.advance(10 * minute - 1)
      const expiring = JSON.parse(String(await client.receive())) as Record<string, unknown>
      const frames = [first, renewed, refused, expiring]
      expect(frames.map(({ type }) => type)).toEqual(['auth_ok', 'auth_ok', 'auth_fail', 'auth_expiring'])
      for (const frame of frames) {
        if (own) expect(frame.nonce).toBe(own)
        else expect(frame).not.toHaveProperty('nonce')
      }
    }
  })

  it.each([nonce, undefined])('E26 says the nonce %s in the refusal of the first message too', async (own) => {
    const { server } = live()
    const client = await server.connect()
    client.send(own ? authWith('bad', own) : authFrame('bad'))
    expect(JSON.parse(String(await client.receive()))).toEqual({ type: 'auth_fail', ...(own && { nonce: own }) })
    expect((await client.closed).code).toBe(4001)
  })

  it.each<[string, string | undefined, string | undefined]>([
    ['without a nonce, on a connection with one', nonce, undefined],
    ['with another nonce', nonce, other],
    ['with a nonce, on a connection without one', undefined, nonce],
  ])('E26 takes an auth frame %s for a message of the application', async (_what, own, forged) => {
    const { client, claims, guard, ask, seen, kinds } = await open(own)
    const evil = claims({ id: 'eve' })
    const frame = forged ? authWith(evil, forged) : authFrame(evil)
    client.send(frame)
    expect(await client.receive()).toBe(`echo ${frame}`)
    expect(seen).toEqual(['handler ada', frame])
    expect([kinds(), guard.connections.size]).toEqual([['accepted'], 1])
    // And its own renews it, or ends it when it is somebody else's.
    expect(await ask(claims())).toMatchObject({ type: 'auth_ok', userId: 'ada' })
    client.send(own ? authWith(evil, own) : authFrame(evil))
    expect((await client.closed).code).toBe(4003)
  })

  it('E26 leaves a broken auth frame to the application where there is a nonce, and refuses it where there is none', async () => {
    const broken = '{"type":"auth","token":"x","extra":1}'
    const guarded = await open(nonce)
    guarded.client.send(broken)
    expect(await guarded.client.receive()).toBe(`echo ${broken}`)
    const bare = await open(undefined)
    bare.client.send(broken)
    expect(await bare.client.receive()).toBe('{"type":"auth_fail"}')
    await settled(bare.client)
    expect(bare.seen).toEqual(['handler ada'])
  })

  it('E26 keeps the nonce through renewals of both kinds', async () => {
    const { client, claims, ask, renew, guard } = await open(nonce)
    const [connection] = guard.connections
    expect((await renew(claims(), { connection: connection?.id })).status).toBe(200)
    expect(await ask(claims())).toMatchObject({ type: 'auth_ok', nonce })
    const forged = authFrame(claims({ id: 'eve' }))
    client.send(forged)
    expect(await client.receive()).toBe(`echo ${forged}`)
  })

  it('E26 keeps no nonce for a connection of another method', async () => {
    const { connect, guard } = live()
    const client = await connect({}, 'header')
    const frame = authWith('anything', nonce)
    client.send(frame)
    expect(await client.receive()).toBe(`echo ${frame}`)
    for (const connection of guard.connections) expect(JSON.stringify(connection)).not.toContain(nonce)
  })

  it('E26 refuses a first message whose nonce is none', async () => {
    for (const bad of ['', 'short', `${nonce}A`, `${nonce.slice(1)}=`, `${nonce.slice(1)} `]) {
      const { server, reasons } = live()
      const client = await server.connect()
      client.send(authWith(credentialOf({}), bad))
      expect(JSON.parse(String(await client.receive()))).toEqual({ type: 'auth_fail' })
      expect((await client.closed).code).toBe(1008)
      expect(reasons()).toEqual(['credential-malformed'])
    }
    const { connect } = live()
    const client = await connect({}, 'message')
    expect(await sendAuth(client, credentialOf({}))).toMatchObject({ type: 'auth_ok' })
  })
})
