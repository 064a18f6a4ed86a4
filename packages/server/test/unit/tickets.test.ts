import { randomBytes } from 'node:crypto'
import { ConfigurationError, hash, type Identity, memoryStore, type TicketOptions, ticket } from '@sallyport/server'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTickets } from '../../src/tickets.js'
import { testClock } from '../support/clock.js'
import { handshake } from '../support/handshake.js'
import { recordingStore } from '../support/recording-store.js'

const holder = { identity: { id: 'ada' }, session: 's1', vouchedAt: 3 }

function setUp(options: TicketOptions = {}) {
  const clock = testClock()
  const { store, recorded } = recordingStore(memoryStore({ clock }))
  let next = 0
  // Counts, so that a test knows which ticket it gets.
  const random = (bytes: number) => Buffer.alloc(bytes).fill(next++, bytes - 1)
  const tickets = createTickets<Identity>(options, { store, clock, random })
  return { clock, store, recorded, tickets }
}

const request = (target = '/ws') => handshake({ target })

describe('createTickets', () => {
  it('asks for 256 random bits and answers them in base64url', async () => {
    const { tickets } = setUp()
    expect(await tickets.issue(holder, { path: '/ws' })).toEqual({ ticket: 'A'.repeat(43), expiresIn: 30 })
    expect(await tickets.issue(holder, { path: '/ws' })).toEqual({ ticket: `${'A'.repeat(42)}E`, expiresIn: 30 })
  })

  it('stores the holder under hashes, for as long as the ticket lives', async () => {
    const { tickets, recorded } = setUp({ expiresIn: 10, maxOutstanding: 5 })
    const binding = { path: '/ws', origin: 'https://app.example.com' }
    await tickets.issue({ ...holder, issuedAt: 1, expiresAt: 2, token: 't1' }, binding)
    const key = hash('A'.repeat(43))
    const [put = '', ...rest] = recorded
    const [, stored = ''] = /^put ticket:\S+ (.*) 10000$/.exec(put) ?? []
    expect(put.startsWith(`put ticket:${key} `)).toBe(true)
    expect(JSON.parse(stored)).toEqual({
      hash: key,
      binding,
      holder: { identity: { id: 'ada' }, session: 's1', issuedAt: 1, vouchedAt: 3, expiresAt: 2, token: 't1' },
    })
    expect(rest).toEqual([])
  })

  it('gives back who it was issued to, once', async () => {
    const { tickets, recorded } = setUp()
    const issued = await tickets.issue(holder, { path: '/ws' })
    recorded.length = 0
    expect(await tickets.redeem(issued!.ticket, request())).toEqual(holder)
    expect(recorded.map((line) => line.split(' ')[0])).toEqual(['take'])
    expect(await tickets.redeem(issued!.ticket, request())).toEqual({ rejected: 'credential-unknown' })
    expect(recorded.map((line) => line.split(' ')[0])).toEqual(['take', 'take'])
  })

  it('counts by the whole identity', async () => {
    const { tickets } = setUp({ maxOutstanding: 1 })
    const identities: Identity[] = [
      { id: 'a' },
      { id: 'a', issuer: 'b' },
      { id: 'a', tenant: 'b' },
      { id: 'a', issuer: 'b', tenant: 'b' },
      { id: 'b' },
      // No two may meet in one joined string.
      { id: 'c', tenant: 'a","b' },
      { id: 'b","c', tenant: 'a' },
      { id: 'c', issuer: 'a,b' },
      { id: 'c', issuer: 'a', tenant: 'b,' },
    ]
    const issue = (identity: Identity) => tickets.issue({ identity, vouchedAt: 0 }, { path: '/ws' })
    for (const identity of identities) expect(await issue(identity)).toBeDefined()
    for (const identity of identities) expect(await issue(identity)).toBeUndefined()
  })

  it('loses no place when the ticket could not be stored', async () => {
    const { store, clock } = setUp()
    let isDown = true
    const tickets = createTickets<Identity>(
      { maxOutstanding: 1 },
      {
        clock,
        random: randomBytes,
        store: { ...store, put: (...entry) => (isDown ? Promise.reject(new Error('down')) : store.put(...entry)) },
      },
    )
    await expect(tickets.issue(holder, { path: '/ws' })).rejects.toThrow('down')
    isDown = false
    expect(await tickets.issue(holder, { path: '/ws' })).toBeDefined()
    expect(await tickets.issue(holder, { path: '/ws' })).toBeUndefined()
  })

  it.each([{ expiresIn: 0 }, { expiresIn: 0.5 }, { expiresIn: 61 }, { expiresIn: Number.NaN }, { maxOutstanding: 0 }])(
    'refuses the options %j',
    (options) => {
      expect(() => setUp(options)).toThrow(ConfigurationError)
    },
  )

  it.each([{}, { expiresIn: 1 }, { expiresIn: 60 }, { maxOutstanding: 1 }])('takes the options %j', (options) => {
    expect(() => setUp(options)).not.toThrow()
    expect(ticket(options).options).toEqual(options)
  })

  it('never knows a ticket that it did not issue, whatever it looks like', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.base64String()), async (text) => {
        const { tickets } = setUp()
        await tickets.issue(holder, { path: '/ws' })
        fc.pre(text !== 'A'.repeat(43))
        expect(await tickets.redeem(text, request())).toHaveProperty('rejected')
      }),
    )
  })

  it('opens at most one connection for a ticket, in any order of events', async () => {
    type Step = { type: 'issue' } | { type: 'redeem'; index: number } | { type: 'wait'; ms: number }
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.constant<Step>({ type: 'issue' }),
      fc.record({ type: fc.constant('redeem' as const), index: fc.nat(4) }),
      fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { tickets, clock } = setUp({ maxOutstanding: 3 })
        // The model: when each ticket ends, and whether it was used.
        const model: { ticket: string; expiresAt: number; used: boolean }[] = []
        const outstanding = () => model.filter(({ used, expiresAt }) => !used && expiresAt > clock.now()).length
        for (const action of steps) {
          if (action.type === 'wait') clock.advance(action.ms)
          if (action.type === 'issue') {
            const expected = outstanding() < 3
            const issued = await tickets.issue(holder, { path: '/ws' })
            expect(issued !== undefined).toBe(expected)
            if (issued) model.push({ ticket: issued.ticket, expiresAt: clock.now() + 30_000, used: false })
          }
          const entry = action.type === 'redeem' ? model[action.index] : undefined
          if (entry) {
            const expected = !entry.used && entry.expiresAt > clock.now()
            const verification = await tickets.redeem(entry.ticket, request())
            expect('identity' in verification).toBe(expected)
            entry.used ||= expected
          }
        }
      }),
    )
  })
})
