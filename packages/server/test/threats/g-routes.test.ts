import { createRoutes } from '@sallyport/server'
import { describe, expect, it, vi } from 'vitest'
import { deferred, nextTurn } from '../support/deferred.js'
import { origin } from '../support/guard.js'
import { held } from '../support/held.js'
import { credentialOf, type LiveOptions, live, verifyClaims } from '../support/live.js'

const second = 1_000

/** The routes of a guard, and calls of them. */
function routed(options: LiveOptions = {}) {
  const set = live(options)
  const routes = createRoutes(set.guard, { path: '/ws' })
  const call = async (route: string, credential = '', body?: BodyInit, address = '192.0.2.1') => {
    const request = new Request(`http://api.example.com/ws/${route}`, {
      method: 'POST',
      headers: credential === '' ? {} : { Authorization: `Bearer ${credential}` },
      ...(body !== undefined && { body, duplex: 'half' }),
    })
    return (await routes.fetch(request, address))?.status
  }
  return { ...set, call }
}

/** A body that begins, and of which no more comes. */
const endless = () =>
  new ReadableStream({
    start: (controller) => controller.enqueue(Buffer.from('{"connection":"')),
  })

describe('G27 calls of the routes that are not decided', () => {
  it('G27 are bounded for an address, together with its sockets', async () => {
    const hung = held(verifyClaims)
    const { call, connect, reasons } = routed({ verify: hung.verify, limits: { pendingPerAddress: 2 } })
    const undecided = [call('ticket', credentialOf()), call('renew', credentialOf())]
    await hung.asked
    while (hung.calls < 2) await nextTurn()
    expect(await call('ticket', credentialOf())).toBe(429)
    await expect(connect({}, 'header', '192.0.2.1')).rejects.toMatchObject({ status: 429 })
    expect(reasons()).toEqual(['pending', 'pending'])
    expect(hung.calls).toBe(2)
    // Another address is not concerned, nor is this one when they are decided.
    const other = call('ticket', credentialOf(), undefined, '192.0.2.2')
    hung.release()
    expect(await Promise.all([...undecided, other])).toEqual([201, 404, 201])
    expect(await call('ticket', credentialOf())).toBe(201)
  })

  it('G27 are bounded while somebody is asked about their origins, whatever their HTTP method', async () => {
    const answer = deferred<boolean>()
    const origins = vi.fn(() => answer.promise)
    const { guard, reasons } = live({ origins, limits: { pendingPerAddress: 2 } })
    const routes = createRoutes(guard, { path: '/ws' })
    const call = async (method: string, headers = { Origin: origin, Authorization: `Bearer ${credentialOf()}` }) =>
      (await routes.fetch(new Request('http://api.example.com/ws/ticket', { method, headers }), '192.0.2.1'))?.status
    const undecided = [call('OPTIONS'), call('POST')]
    expect(await call('OPTIONS')).toBe(429)
    expect(await call('POST')).toBe(429)
    expect(origins).toHaveBeenCalledTimes(2)
    expect(reasons()).toEqual(['pending', 'pending'])
    answer.resolve(true)
    expect(await Promise.all(undecided)).toEqual([204, 201])
    expect(await call('POST')).toBe(201)
    expect(guard.pending).toBe(0)
  })

  it('G27 make room when they only wait for their bodies: the oldest goes', async () => {
    const { call, connect, reasons } = routed({ limits: { pendingSockets: 2 } })
    const [first, last] = [call('renew', '', endless()), call('renew', '', endless())]
    await nextTurn()
    await connect()
    expect(await first).toBe(429)
    expect(await call('ticket', credentialOf())).toBe(201)
    expect(reasons()).toEqual(['pending'])
    let isOver = false
    last.then(() => {
      isOver = true
    })
    await nextTurn()
    expect(isOver).toBe(false)
  })

  it('G27 leave their places, whatever becomes of them', async () => {
    const { call, clock, guard } = routed({ limits: { pendingSockets: 1 } })
    const good = credentialOf()
    const broken = new ReadableStream({ start: (controller) => controller.error(new Error('gone')) })
    expect(await call('ticket', good)).toBe(201)
    expect(await call('ticket', 'bad')).toBe(401)
    expect(await call('renew', good, '{')).toBe(400)
    expect(await call('renew', good, broken)).toBe(400)
    expect(await call('renew', good, 'x'.repeat(20_000))).toBe(413)
    expect(await call('renew', good, '{"connection":"none"}')).toBe(404)
    const late = call('renew', good, endless())
    while (clock.pending === 0) await nextTurn()
    clock.advance(10 * second)
    expect(await late).toBe(408)
    const place = guard.enter({ method: 'GET', target: '/ws', headers: [], address: '192.0.2.1' })
    expect(place).toHaveProperty('leave')
    // The one place there is.
    expect(await call('ticket', good)).toBe(429)
  })
})
