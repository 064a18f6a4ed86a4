import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRoutes, type GuardEvent } from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import { describe, expect, it, onTestFinished } from 'vitest'
import { credentialOf, type LiveOptions, live } from '../support/live.js'
import { type RawHeaders, rawHandshake } from '../support/raw.js'

const tries = 12
// What a flood from one address is told.
const limited = [...Array(10).fill(401), 429, 429]
const unlimited = Array(tries).fill(401)

/** The statuses of that many attempts, one after the other. */
async function statuses(attempt: (i: number) => Promise<number>): Promise<number[]> {
  const all: number[] = []
  for (let i = 0; i < tries; i++) all.push(await attempt(i))
  return all
}

/** Calls the ticket route as a fetch handler does. */
function fetching(options: LiveOptions = {}) {
  const set = live(options)
  const routes = createRoutes(set.guard, { path: '/ws' })
  const ask = async (credential: string, address?: string, headers: Record<string, string> = {}) => {
    const request = new Request('http://api.example.com/ws/ticket', {
      method: 'POST',
      headers: { Authorization: `Bearer ${credential}`, ...headers },
    })
    return (await routes.fetch(request, address))?.status ?? 0
  }
  return { ...set, ask }
}

describe('H24 an address with more about it', () => {
  const forwarded: [string, (i: number) => string, string][] = [
    ['a port that is another each time', (i) => `198.51.100.1:${50_000 + i}`, '198.51.100.2:50000'],
    ['a port behind brackets', (i) => `[2001:db8:1:1::${i}]:${50_000 + i}`, '[2001:db8:1:2::1]:50000'],
    ['a form of its own', (i) => (i % 2 ? '::ffff:c633:6401' : '198.51.100.1'), '::ffff:c633:6402'],
  ]

  it.each(forwarded)('H24 is still one address: with %s', async (_, written, other) => {
    const { ask } = fetching({ trustedProxies: ['10.0.0.0/8'] })
    const from = (value: string) => ({ 'X-Forwarded-For': value })
    expect(await statuses((i) => ask(`bad-${i}`, '10.0.0.1', from(written(i))))).toEqual(limited)
    expect(await ask('bad', '10.0.0.1', from(other))).toBe(401)
  })

  it.each(forwarded)('H24 also where the runtime tells it so: with %s', async (_, written, other) => {
    const { ask } = fetching()
    expect(await statuses((i) => ask(`bad-${i}`, written(i)))).toEqual(limited)
    expect(await ask('bad', other)).toBe(401)
  })
})

describe('H25 a Unix socket', () => {
  /** A server on a Unix socket, and what it answers to a handshake over it. */
  async function start(options: LiveOptions) {
    const { guard, reasons } = live({ without: 'message', ...options })
    const events: GuardEvent[] = []
    guard.subscribe((event) => events.push(event))
    const server = createServer()
    guardServer(server, guard, { path: '/ws' }, () => {})
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
    const path = join(folder, 'socket')
    server.listen(path)
    await once(server, 'listening')
    onTestFinished(async () => {
      server.close()
      await rm(folder, { recursive: true })
    })
    const attempt = async (credential: string, headers: RawHeaders = {}) => {
      const socket = connect(path)
      socket.write(rawHandshake('/ws', { Authorization: `Bearer ${credential}`, ...headers }))
      const [head] = (await once(socket, 'data')) as [Buffer]
      socket.destroy()
      return Number(head.toString().slice(9, 12))
    }
    return { attempt, events, reasons }
  }

  it('H25 has no address, so that a flood over it locks out nobody behind the same proxy', async () => {
    const { attempt, events } = await start({})
    const forwarded = { 'X-Forwarded-For': '198.51.100.1' }
    expect(await statuses((i) => attempt(`bad-${i}`, forwarded))).toEqual(unlimited)
    expect(await attempt(credentialOf(), forwarded)).toBe(101)
    // Whoever connects to it may write what they like.
    expect(events[0]).toMatchObject({ type: 'refused', address: '' })
  })

  it('H25 is a proxy when it is named, and each of its clients is counted apart', async () => {
    const { attempt, events } = await start({ trustedProxies: ['unix'] })
    const from = (address: string) => ({ 'X-Forwarded-For': `203.0.113.1, ${address}` })
    expect(await statuses((i) => attempt(`bad-${i}`, from('198.51.100.1')))).toEqual(limited)
    expect(events[0]).toMatchObject({ type: 'refused', address: '198.51.100.1' })
    expect(await attempt('bad', from('198.51.100.2'))).toBe(401)
    expect(await attempt(credentialOf(), from('198.51.100.1'))).toBe(101)
  })
})

describe('G19 who has no address', () => {
  it('G19 is not counted as one: a stranger locks nobody out of tickets', async () => {
    const { ask } = fetching()
    expect(await statuses((i) => ask(`bad-${i}`))).toEqual(unlimited)
    expect(await ask(credentialOf())).toBe(201)
    // With an address, the same flood is held up.
    expect(await statuses((i) => ask(`bad-${i}`, '198.51.100.1'))).toEqual(limited)
  })

  it('G19 nor are the undecided: those are bounded in all, and by no address', () => {
    const { guard } = live({ limits: { pendingPerAddress: 2, pendingSockets: 5 } })
    const enter = (address: string) =>
      'reason' in guard.enter({ method: 'GET', target: '/ws', headers: [], address }) ? 'refused' : 'entered'
    expect([enter('198.51.100.1'), enter('198.51.100.1'), enter('198.51.100.1')]).toEqual([
      'entered',
      'entered',
      'refused',
    ])
    expect([enter(''), enter('unix'), enter('unknown'), enter('')]).toEqual([
      'entered',
      'entered',
      'entered',
      'refused',
    ])
  })
})
