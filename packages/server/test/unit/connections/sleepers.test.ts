import { type Accept, createGuard } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import type { LiveConnection } from '../../../src/connections/live-connection.js'
import { liveConnections } from '../../../src/connections/of-guard.js'
import { type ConnectionRecord, recordOf } from '../../../src/connections/record.js'
import { converseIn, plain } from '../../../src/dialects/plain.js'
import { testClock } from '../../support/clock.js'
import { nextTurn } from '../../support/deferred.js'
import { allMethods } from '../../support/guard.js'
import { handshake } from '../../support/handshake.js'
import { fakeTransport } from '../../support/transport.js'

const nonce = 'q2xJ0b3sT8K1nD4vYw7ZAg'
const frame = (token: string) => JSON.stringify({ type: 'auth', token, nonce })
const clock = testClock()
const guardOf = () => createGuard({ ...allMethods(), clock })

/** What is written down of somebody who came by first message. */
function written(id: string): ConnectionRecord {
  const conversation = converseIn(plain)
  conversation.hear(frame(`good-${id}`))
  const accept: Accept = {
    type: 'accept',
    method: 'message',
    identity: { id },
    vouchedAt: clock.now(),
    expiresAt: clock.now() + 60_000,
  }
  const connection = liveConnections(guardOf()).open(accept, handshake(), fakeTransport(), conversation)
  return structuredClone(recordOf(connection!))
}

/** A guard that knows nothing of them, until it is told to take them up. */
function asleep(records: unknown[]) {
  const guard = guardOf()
  const connections = liveConnections(guard)
  const sockets = records.map((record) => ({ record, transport: fakeTransport() }))
  const wake = () =>
    sockets.map(({ record, transport }) => {
      let begun: LiveConnection | undefined
      connections.restore(record as ConnectionRecord, transport, (connection) => {
        begun = connection
      })
      return begun
    })
  connections.sleepers = { wake: () => void wake() }
  return { guard, wake, calls: sockets.map(({ transport }) => transport.calls) }
}

describe('connections that sleep', () => {
  it('end with a drain', async () => {
    const { guard, calls } = asleep([written('ada'), written('eve')])
    void guard.drain({ within: 0 })
    await nextTurn()
    clock.advance(0)
    await nextTurn()
    expect(calls).toEqual(Array(2).fill(['shut', 'close 1012 Service restart']))
  })

  it('J50 end with 1011 where something else is written down, and the others wake', () => {
    const { guard, wake, calls } = asleep([written('ada'), {}, written('eve')])
    const events: object[] = []
    guard.subscribe((event) => events.push(event))
    expect(wake().map((connection) => connection?.identity.id)).toEqual(['ada', undefined, 'eve'])
    expect(calls).toEqual([[], ['shut', 'close 1011 Internal error'], []])
    expect(events).toMatchObject([{ type: 'refused', reason: 'internal-error', error: expect.any(TypeError) }])
  })

  it('J56 are handed over before they end by a revocation that overtook them, and are told of', () => {
    const { guard, wake } = asleep([written('ada'), written('eve')])
    let woken: (LiveConnection | undefined)[] = []
    liveConnections(guard).sleepers = {
      wake() {
        woken = wake()
      },
    }
    const events: object[] = []
    guard.subscribe((event) => events.push(event))
    void guard.revoke({ user: 'ada' })
    const [ada, eve] = woken
    expect(events).toEqual([{ type: 'ended', connection: ada, code: 'revoked' }])
    expect([...guard.connections]).toEqual([eve])
  })

  it('J53 know the frames of their client by its nonce, and tell it so', () => {
    const talk = asleep([written('ada')]).wake()[0]?.conversation
    expect(talk?.hearAgain?.(frame('good-ada'))).toMatchObject({ credential: 'good-ada' })
    expect(talk?.hearAgain?.(JSON.stringify({ type: 'auth', token: 'good-eve' }))).toBeUndefined()
    expect(talk?.say({ type: 'expiring', expiresIn: 5 })).toContain(nonce)
  })
})
