import { type Follower, type Identity, memoryStore, rejected, type Verifier } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { testClock } from '../support/clock.js'
import { cutStore } from '../support/cut-store.js'
import { deferred, nextTurn } from '../support/deferred.js'
import { type Claims, credentialOf, type LiveOptions, live, verifyClaims } from '../support/live.js'
import { unspread } from '../support/unspread.js'

const hour = 3_600_000

/** Two nodes on one store; the way of the first to the others can be cut. */
function nodes(options: LiveOptions = {}) {
  const clock = testClock()
  const store = memoryStore({ clock })
  const way = cutStore(clock, store)
  const asked = live({ clock, store: () => way.store })
  way.look()
  const other = live({ ...options, clock, store: () => store })
  const claims = (more: Claims = {}): Claims => ({
    session: 's1',
    issuedAt: clock.now(),
    expiresAt: clock.now() + hour,
    ...more,
  })
  return { clock, store, way, asked, other, claims }
}

const statusOf = async (answer: Promise<Response>) => {
  const response = await answer
  return [response.status, await response.json()] as const
}

describe('F38 a renewal that is sent to another node', () => {
  it('F38 reaches the connection that it names, and that alone', async () => {
    const { clock, asked, other, claims } = nodes()
    const { connection } = await other.connect(claims({ expiresAt: clock.now() + 60_000 }))
    const sibling = await other.connect(claims({ expiresAt: clock.now() + 60_000 }))
    clock.advance(1_000)
    const fresh = credentialOf(claims())
    expect(await statusOf(asked.renew(fresh, { connection: connection!.id }))).toEqual([200, { expiresIn: 3_600 }])
    expect(connection!.expiresAt).toBe(clock.now() + hour)
    expect(sibling.connection!.expiresAt).toBe(clock.now() + 59_000)
    expect(other.kinds()).toEqual(['accepted', 'accepted', 'renewed'])
    expect(asked.kinds()).not.toContain('renewed')
  })

  it('F38 reaches every connection of its session, and answers the least', async () => {
    const { clock, asked, other, claims } = nodes()
    const here = await asked.connect(claims())
    const there = await other.connect(claims())
    const stranger = await other.connect(claims({ session: 's2' }))
    clock.advance(1_000)
    const credential = credentialOf(claims({ expiresAt: clock.now() + 24 * hour }))
    // A connection lives for a day from its beginning.
    expect(await statusOf(asked.renew(credential))).toEqual([200, { expiresIn: 86_399 }])
    for (const { connection } of [here, there]) expect(connection!.expiresAt).toBe(clock.now() + 24 * hour)
    expect(stranger.connection!.expiresAt).toBe(clock.now() + hour - 1_000)
    expect(asked.kinds().filter((kind) => kind === 'renewed')).toHaveLength(1)
  })

  it("F38 changes nothing of a connection that is somebody else's", async () => {
    const { clock, asked, other, claims } = nodes()
    const { connection } = await other.connect(claims())
    const { expiresAt } = connection!
    clock.advance(1_000)
    for (const body of [{ connection: connection!.id }, undefined]) {
      expect((await statusOf(asked.renew(credentialOf(claims({ id: 'eve' })), body)))[0]).toBe(403)
    }
    expect(asked.reasons()).toEqual(['identity-changed', 'identity-changed'])
    expect(connection!.expiresAt).toBe(expiresAt)
    expect(other.guard.connections.size).toBe(1)
  })

  it.each([
    ['finds none, when the other has ended it by a revocation that this one has not heard of', 's2', 404],
    ['finds it, when that is of another session', 's3', 200],
  ])('F61 %s', async (_, session, status) => {
    const { way, clock, asked, other, claims } = nodes()
    const client = await other.connect(claims())
    clock.advance(1_000)
    way.follows = false
    await other.guard.revoke({ session })
    const fresh = credentialOf(claims({ session: 's2' }))
    expect((await statusOf(asked.renew(fresh, { connection: client.connection!.id })))[0]).toBe(status)
    if (status === 404) expect((await client.closed).code).toBe(4010)
    expect(other.guard.connections.size).toBe(status === 404 ? 0 : 1)
  })

  it('F62 asks the others twenty times at once for an identity, and refuses more', async () => {
    const clock = testClock()
    const shared = memoryStore({ clock })
    const { promise, resolve } = deferred<string[]>()
    let questions = 0
    const ask = () => {
      questions += 1
      return promise
    }
    const store = {
      ...shared,
      follow: (follower: Follower) => Object.create(shared.follow(follower), { ask: { value: ask } }),
    }
    const { guard, renew, connect, reasons } = live({ clock, store: () => store })
    const { connection } = await connect({ id: 'ada' })
    const asking = Array.from({ length: 20 }, () => renew(credentialOf({ id: 'ada' }), { connection: 'none' }))
    const others = renew(credentialOf({ id: 'eve' }), { connection: 'none' })
    while (questions < 21) await nextTurn()
    const [refused] = [await renew(credentialOf({ id: 'ada' }), { connection: 'none' })]
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(reasons()).toEqual(['renewal-limit'])
    // What is here needs no question.
    expect((await renew(credentialOf({ id: 'ada' }), { connection: connection!.id })).status).toBe(200)
    resolve([])
    for (const answer of [...asking, others]) expect((await answer).status).toBe(404)
    expect((await renew(credentialOf({ id: 'ada' }), { connection: 'none' })).status).toBe(404)
    expect(questions).toBe(22)
    expect(guard.pending).toBe(0)
  })

  it.each<[string, unknown, number, number]>([
    ['a Date', new Date(0), 500, 200],
    ['a bigint', 1n, 500, 200],
    ['a text', '1970', 200, 200],
  ])('F64 takes no identity there that has come as something else: %s', async (_, since, named, own) => {
    const clock = testClock()
    const store = memoryStore({ clock })
    const verify: Verifier<Identity & { since: unknown }> = (_credential, { now }) => ({
      identity: { id: 'ada', since },
      session: 's1',
      lookedUpAt: now,
      expiresAt: clock.now() + hour,
    })
    const [asked, other] = [live({ clock, verify, store: () => store }), live({ clock, verify, store: () => store })]
    const here = await asked.connect('x')
    // Where nobody else has anything of it, it does not matter.
    expect((await statusOf(asked.renew('x')))[0]).toBe(own)
    const there = await other.connect('x')
    clock.advance(1_000)
    expect((await statusOf(asked.renew('x', { connection: there.connection!.id })))[0]).toBe(named)
    expect(there.connection!.identity).toEqual({ id: 'ada', since })
    expect((await statusOf(asked.renew('x', { connection: here.connection!.id })))[0]).toBe(200)
  })

  it('F38 finds none where there is none', async () => {
    const { asked, other, claims } = nodes()
    await other.connect(claims())
    expect((await statusOf(asked.renew(credentialOf(claims({ session: 's2' })))))[0]).toBe(404)
    expect((await statusOf(asked.renew(credentialOf({ id: 'ada' }))))[0]).toBe(404)
    expect((await statusOf(asked.renew(credentialOf(claims()), { connection: 'none' })))[0]).toBe(404)
    expect((await statusOf(asked.renew(credentialOf(claims()))))[0]).toBe(200)
  })

  it('F38 is answered with 503 when the others cannot be asked, unless the one that it names is here', async () => {
    const { asked, other, way, claims } = nodes()
    const here = await asked.connect(claims())
    const there = await other.connect(claims())
    way.answers = false
    const renew = async (connection?: string) =>
      (await statusOf(asked.renew(credentialOf(claims()), connection === undefined ? undefined : { connection })))[0]
    expect(await renew(here.connection!.id)).toBe(200)
    expect(await renew(there.connection!.id)).toBe(503)
    expect(await renew()).toBe(503)
    way.answers = true
    expect(await renew(there.connection!.id)).toBe(200)
    expect(await renew()).toBe(200)
  })

  it('F38 leaves the credential where it was shown, and what is looked up again to the node of the connection', async () => {
    const looked: string[] = []
    const verify: LiveOptions['verify'] = async (credential, context) => {
      looked.push(credential)
      return { ...(await verifyClaims(credential, context)), lookedUpAt: context.now }
    }
    const { clock, asked, other, claims } = nodes({ verify, life: { recheck: 60_000 }, random: unspread })
    const first = credentialOf(claims())
    const client = await other.connect(first)
    clock.advance(1_000)
    expect((await statusOf(asked.renew(credentialOf(claims()))))[0]).toBe(200)
    expect(other.kinds()).toContain('renewed')
    expect(looked.splice(0)).toEqual([first])
    clock.advance(61_000)
    for (let turn = 0; turn < 10; turn++) await nextTurn()
    expect(looked).toEqual([first])
    expect(client.socket.readyState).toBe(client.socket.OPEN)
  })

  it.each([
    ['another token, whose end counts', 1_000, true, 4019],
    ['the same session', 0, false, 4010],
  ])('F38 goes on with what it can look up when it is renewed by %s', async (_, later, isRenewed, code) => {
    const bad = new Set<string>()
    const verify: LiveOptions['verify'] = async (credential, context) => {
      if (bad.has(credential)) return rejected('credential-unknown')
      return { ...(await verifyClaims(credential, context)), lookedUpAt: context.now }
    }
    const { clock, asked, other, claims } = nodes({ verify, life: { recheck: 60_000 } })
    const { issuedAt, expiresAt } = claims()
    const first = credentialOf(claims())
    const client = await other.connect(first)
    const newer = claims({ issuedAt: issuedAt! + later, expiresAt: expiresAt! + hour })
    const pass = async () => {
      for (let second = 0; second < 61; second++) {
        clock.advance(1_000)
        await nextTurn()
      }
    }
    clock.advance(1_000)
    // The second one is not newer than what it lives by, and still newer than what it holds.
    for (let i = 0; i < 2; i++) expect((await statusOf(asked.renew(credentialOf(newer))))[0]).toBe(200)
    await pass()
    expect(client.connection!.expiresAt === newer.expiresAt).toBe(isRenewed)
    bad.add(first)
    await pass()
    expect((await client.closed).code).toBe(code)
  })

  it('F38 ends the connection when its credential was revoked meanwhile', async () => {
    const { clock, store, other, claims } = nodes()
    const client = await other.connect(claims({ session: 's2' }))
    const accept = { method: 'header', type: 'accept', identity: { id: 'ada' }, session: 's1', vouchedAt: clock.now() }
    await other.guard.revoke({ session: 's1' })
    const following = store.follow({ maxStaleness: 0, onEntry() {}, entries: () => [] })
    await following.ask(JSON.stringify({ renew: { accept, connection: client.connection!.id } }), 1)
    expect((await client.closed).code).toBe(4010)
  })

  it.each([
    ['no JSON', 'renew'],
    ['nothing', 'null'],
    ['another kind', '{"dance":1}'],
    ['an accept that is none', '{"renew":{"accept":7,"connection":"ID"}}'],
    [
      'an end that is none',
      '{"renew":{"accept":{"identity":{"id":"ada"},"vouchedAt":9e15,"expiresAt":"never"},"connection":"ID"}}',
    ],
    ['a bad credential', '{"renew":{"accept":{"rejected":"credential-expired","vouchedAt":9e15},"connection":"ID"}}'],
    ['nothing that says when', '{"renew":{"accept":{"identity":{"id":"ada"}},"connection":"ID"}}'],
    [
      'a connection that is none',
      '{"renew":{"accept":{"identity":{"id":"ada"},"vouchedAt":9e15},"connection":{"a":1}}}',
    ],
    ['places of nobody', '{"replaced":{"a":1}}'],
    ['a place that is none', '{"replaced":[null,{},7]}'],
  ])('F38 is not what another version asks: %s', async (_, question) => {
    const { store, other, claims } = nodes()
    const { connection } = await other.connect(claims())
    const { expiresAt } = connection!
    const following = store.follow({ maxStaleness: 0, onEntry() {}, entries: () => [] })
    const ask = (text: string) => following.ask(text.replace('ID', connection!.id), 1)
    expect(await ask(question)).toEqual([])
    expect(connection!.expiresAt).toBe(expiresAt)
    expect(await ask('{"renew":{"accept":{"identity":{"id":"ada"},"vouchedAt":9e15},"connection":"ID"}}')).toHaveLength(
      1,
    )
    expect(other.guard.connections.size).toBe(1)
  })
})
