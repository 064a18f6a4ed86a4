import { logRefusals } from '@sallyport/server'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { prometheusMetrics } from '../../src/observers/prometheus.js'
import { nextTurn } from '../support/deferred.js'
import { origin } from '../support/guard.js'
import { credentialOf, type LiveOptions, live, verifyClaims, type Way } from '../support/live.js'

const flooder = '192.0.2.66'
const second = 1_000

/** A guard that counts what is verified. */
function counted(options: LiveOptions = {}) {
  const verified: string[] = []
  const set = live({
    ...options,
    verify: (credential, context) => {
      verified.push(credential)
      return verifyClaims(credential, context)
    },
  })
  const { server, present } = set
  /** Presents a credential: what the answer is. */
  const attempt = async (credential: string, address = flooder, headers: Record<string, string> = {}) => {
    const options = await present(credential, 'header')
    try {
      await server.connect({ ...options, headers: { ...options.headers, ...headers }, address })
      return 101
    } catch (error) {
      return (error as { status: number }).status
    }
  }
  const attempts = async (count: number, ...rest: [address?: string, headers?: Record<string, string>]) => {
    const answers: number[] = []
    for (let i = 0; i < count; i++) answers.push(await attempt(`bad-${i}`, ...rest))
    return answers
  }
  return { ...set, verified, attempt, attempts }
}

describe('G09 a flood of bad credentials', () => {
  it('G09 is told 401 ten times a minute, and then 429 with the time to wait', async () => {
    const { attempts, server, present, reasons } = counted()
    expect(await attempts(15)).toEqual([...Array(10).fill(401), ...Array(5).fill(429)])
    expect(reasons()).toEqual([...Array(10).fill('credential-unknown'), ...Array(5).fill('attempts')])
    const last = server.connect({ ...(await present('bad', 'header')), address: flooder })
    await expect(last).rejects.toMatchObject({ status: 429, headers: { 'retry-after': '10' } })
  })

  it('G09 costs twenty verifications a second, and no more', async () => {
    const { attempts, verified, clock } = counted()
    await attempts(10)
    for (let i = 0; i < 3; i++) {
      verified.length = 0
      expect(await attempts(100)).toEqual(Array(100).fill(429))
      expect(verified).toHaveLength(20)
      clock.advance(second)
    }
  })

  it('G09 keeps no good credential out that comes from the same address', async () => {
    const { attempts, attempt, seen } = counted()
    await attempts(15)
    for (let i = 0; i < 10; i++) expect(await attempt(credentialOf({ id: `user-${i}` }))).toBe(101)
    expect(seen).toHaveLength(10)
  })

  it('G09 keeps nobody out who comes from another', async () => {
    const { attempts, attempt } = counted()
    await attempts(200)
    expect(await attempt('bad', '192.0.2.67')).toBe(401)
    expect(await attempt(credentialOf(), '192.0.2.67')).toBe(101)
  })

  it('G09 is over with the minute', async () => {
    const { attempts, clock } = counted()
    expect((await attempts(11)).at(-1)).toBe(429)
    clock.advance(60 * second)
    expect(await attempts(11)).toEqual([...Array(10).fill(401), 429])
  })

  it('G09 is not one stale credential, however often it comes', async () => {
    const { attempt, attempts } = counted()
    for (let i = 0; i < 100; i++) expect(await attempt('stale')).toBe(401)
    // And that was one of the ten.
    expect(await attempts(10)).toEqual([...Array(9).fill(401), 429])
  })

  it('G09 may be as large as it is told', async () => {
    const { attempts, verified } = counted({ limits: { failedAttempts: 3, verificationBudget: 1 } })
    expect(await attempts(6)).toEqual([401, 401, 401, 429, 429, 429])
    expect(verified).toHaveLength(4)
  })

  it.each<Way>(['header', 'query', 'cookie', 'subprotocol', 'ticket'])(
    'G09 counts whatever way it comes: by %s',
    async (way) => {
      // Without first messages, a stale cookie is refused at once.
      const { server, present, reasons, attempt } = counted({ refuseBy: 'status', without: 'message' })
      for (let i = 0; i < 12; i++) {
        const options =
          way === 'ticket' ? { query: `ticket=${'x'.repeat(42)}${i.toString(36)}` } : await present(`bad-${i}`, way)
        const status = i < 10 ? 401 : 429
        await expect(server.connect({ ...options, address: flooder })).rejects.toMatchObject({ status })
      }
      expect(reasons().slice(-2)).toEqual(['attempts', 'attempts'])
      expect(await attempt('another')).toBe(429)
      expect(await attempt(credentialOf())).toBe(101)
    },
  )

  it('G09 is no browser`s: a flood gets no 101', async () => {
    const { server } = counted()
    const bad = (i: number) => server.connect({ query: `token=bad-${i}`, origin, address: flooder })
    for (let i = 0; i < 10; i++) expect((await (await bad(i)).closed).code).toBe(4001)
    await expect(bad(10)).rejects.toMatchObject({ status: 429 })
  })

  it('G09 is counted at the routes too', async () => {
    const { server } = counted()
    const call = (route: string, credential: string) =>
      server.fetch(route, { method: 'POST', headers: { Authorization: `Bearer ${credential}` } })
    for (let i = 0; i < 10; i++) expect((await call(i % 2 ? '/ws/ticket' : '/ws/renew', `bad-${i}`)).status).toBe(401)
    const limited = await call('/ws/ticket', 'bad')
    expect(limited.status).toBe(429)
    expect(limited.headers.get('retry-after')).toBe('10')
    expect((await call('/ws/renew', 'bad')).status).toBe(429)
    expect((await call('/ws/ticket', credentialOf())).status).toBe(201)
  })

  it('G09 is counted by the /64 of IPv6', async () => {
    const { attempt } = counted()
    const answers: number[] = []
    for (let i = 0; i < 12; i++) answers.push(await attempt(`bad-${i}`, `2001:db8:1:1:${i}::1`))
    expect(answers).toEqual([...Array(10).fill(401), 429, 429])
    expect(await attempt('bad', '2001:db8:1:2::1')).toBe(401)
  })
})

describe('H09 a flood behind forged headers', () => {
  const forwarded = (i: number) => ({ 'X-Forwarded-For': `203.0.113.${i}`, Forwarded: `for=203.0.113.${i}` })

  it('H09 is still one address, when no proxy is named', async () => {
    const { attempt } = counted()
    const answers: number[] = []
    for (let i = 0; i < 12; i++) answers.push(await attempt(`bad-${i}`, flooder, forwarded(i)))
    expect(answers).toEqual([...Array(10).fill(401), 429, 429])
  })

  it('H09 is still one address, when it writes before the proxy', async () => {
    const { attempt } = counted({ trustedProxies: ['10.0.0.0/8'] })
    const answers: number[] = []
    for (let i = 0; i < 12; i++) {
      answers.push(await attempt(`bad-${i}`, '10.0.0.1', { 'X-Forwarded-For': `203.0.113.${i}, 198.51.100.1` }))
    }
    expect(answers).toEqual([...Array(10).fill(401), 429, 429])
    // Somebody else behind the same proxy is not concerned.
    expect(await attempt('bad', '10.0.0.1', { 'X-Forwarded-For': '198.51.100.2' })).toBe(401)
  })

  it('H09 is not the proxy`s, nor that of its other clients, when it is named', async () => {
    const { attempt, events } = counted({ trustedProxies: ['10.0.0.0/8'] })
    for (let i = 0; i < 12; i++) await attempt(`bad-${i}`, '10.0.0.1', forwarded(i))
    const addresses = events.flatMap((event) => (event.type === 'refused' ? [event.address] : []))
    expect(addresses).toEqual(Array.from({ length: 12 }, (_, i) => `203.0.113.${i}`))
    expect(await attempt('bad', '10.0.0.1', forwarded(200))).toBe(401)
  })

  it('H09 may not call itself the proxy', async () => {
    const { attempt, events } = counted({ trustedProxies: ['10.0.0.0/8'] })
    expect(await attempt('bad', flooder, { 'X-Forwarded-For': '203.0.113.1, 10.0.0.1' })).toBe(401)
    expect(events).toMatchObject([{ address: flooder }])
  })
})

describe('G12 ten thousand hostile names', () => {
  it('G12 make no label of a metric, and one short line of the log each', { timeout: 60_000 }, async () => {
    const { guard, clock, server } = live({ refuseBy: 'status' })
    const registry = new Registry()
    prometheusMetrics(guard, { registry })
    const lines: string[] = []
    logRefusals(guard, (line) => lines.push(line))
    const base = {
      method: 'GET',
      address: '192.0.2.1',
      headers: [
        ['host', 'a'],
        ['connection', 'Upgrade'],
        ['upgrade', 'websocket'],
        ['sec-websocket-version', '13'],
        ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
      ] as [string, string][],
    }
    const many = 10_000
    for (let i = 0; i < many; i++) {
      const name = `hostile-${i}-${'x'.repeat(i % 500)}`
      const kid = Buffer.from(JSON.stringify({ alg: 'ES256', kid: name })).toString('base64url')
      const variants: [target: string, header: [string, string]][] = [
        [`/ws/${name}`, ['authorization', 'Bearer bad']],
        ['/ws', ['origin', `https://${name}.example`]],
        ['/ws', ['authorization', `Bearer ${kid}.e30.x`]],
        [`/ws?${name}=${name}`, ['cookie', `${name}=${name}; session=${name}`]],
      ]
      const [target, header] = variants[i % 4]!
      const address = `198.51.${(i >> 8) & 255}.${i & 255}`
      const verdict = await guard.decide({ ...base, address, target, headers: [...base.headers, header] })
      expect(verdict.type).toBe('refuse')
    }
    await server.connect({ headers: { Authorization: `Bearer ${credentialOf()}` } })
    const text = await registry.metrics()
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    // As many as the metrics have buckets and labels of their own.
    expect(series.length).toBeLessThan(100)
    expect(text).not.toContain('hostile')
    const counts = series.filter((line) => line.startsWith('sallyport_refused_total'))
    expect(counts.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)).toBe(many)
    expect(text).toContain('sallyport_accepted_total{method="header"} 1')
    expect(lines).toHaveLength(many)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(500)
    expect(clock.pending).toBeLessThan(3)
  })
})

describe('G13 a flood from everywhere', () => {
  it('G13 is forgotten: what is kept of addresses is bounded', { timeout: 60_000 }, async () => {
    const { guard, attempt, attempts } = counted({ limits: { failedAttempts: 1 } })
    expect(await attempts(2, '192.0.2.1')).toEqual([401, 429])
    const headers = [['authorization', 'Bearer bad']] as [string, string][]
    for (let i = 0; i < 20_000; i++) {
      const address = `2001:db8:${(i >> 8).toString(16)}:${(i & 255).toString(16)}::1`
      await guard.issueTicket({ method: 'POST', target: '/ws/ticket', headers, address }, '/ws')
    }
    // Ten thousand others have pushed it out.
    expect(await attempt('bad-2', '192.0.2.1')).toBe(401)
    expect(await attempt('bad-3', '192.0.2.1')).toBe(429)
  })
})

describe('G11 hundreds of connections later', () => {
  it('G11 everything is as it was', { timeout: 60_000 }, async () => {
    const { guard, clock, server, present, connect } = live({ limits: { failedAttempts: 1_000_000 } })
    const cycles = 100
    const ends: (() => Promise<unknown>)[] = [
      async () => (await connect({ expiresAt: clock.now() + 60_000 })).socket.close(),
      async () => (await connect({ expiresAt: clock.now() + 60_000 }, 'message')).dropNetwork(),
      async () => (await connect({ expiresAt: clock.now() + 1_000 })).expireNow(),
      async () => (await connect({ session: `s${Math.random()}` }, 'ticket')).revokeNow(),
      async () => server.connect(await present('bad', 'header')).catch(() => {}),
      async () => (await server.connect()).socket.terminate(),
      async () => (await server.connect({ query: 'token=bad', origin })).closed,
    ]
    for (let i = 0; i < cycles; i++) await Promise.all(ends.map((end) => end()))
    for (let turn = 0; turn < 50; turn++) await nextTurn()
    clock.advance(10 * second)
    for (let turn = 0; turn < 50; turn++) await nextTurn()
    expect(guard.connections.size).toBe(0)
    expect(clock.pending).toBe(0)
    const places = Array.from({ length: 1_001 }, (_, i) =>
      guard.enter({ method: 'GET', target: '/ws', headers: [], address: `198.51.${i >> 8}.${i & 255}` }),
    )
    expect(places.filter((place) => 'reason' in place)).toHaveLength(1)
  })
})
