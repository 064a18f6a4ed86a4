import { describe, expect, it } from 'vitest'
import { Heartbeat } from '../../../src/connections/heartbeat.js'
import type { LiveConnection } from '../../../src/connections/live-connection.js'
import { testClock } from '../../support/clock.js'

/** A peer that answers pings while `answers` says so. */
function peer() {
  const state = { pings: 0, answers: true }
  const transport = {
    ping() {
      state.pings += 1
    },
    get isSilent() {
      return !state.answers
    },
  }
  return { state, connection: { transport, lookAt: undefined, unanswered: 0 } as unknown as LiveConnection }
}

function start(byte = 0) {
  const clock = testClock()
  const ended: LiveConnection[] = []
  const heartbeat = new Heartbeat({
    clock,
    period: 30_000,
    random: () => Uint8Array.of(byte),
    onSilent(connection) {
      ended.push(connection)
      heartbeat.stop(connection)
    },
  })
  return { clock, ended, heartbeat }
}

describe('the heartbeat', () => {
  it('pings every 30 seconds who answers', () => {
    const { clock, ended, heartbeat } = start()
    const { state, connection } = peer()
    heartbeat.start(connection)
    clock.advance(29_999)
    expect(state.pings).toBe(0)
    clock.advance(1)
    expect(state.pings).toBe(1)
    clock.advance(600_000)
    expect([state.pings, ended]).toEqual([21, []])
  })

  it('ends who does not, within two of them of its last word', () => {
    const { clock, ended, heartbeat } = start()
    const { state, connection } = peer()
    heartbeat.start(connection)
    clock.advance(45_000)
    // The first ping is answered by now.
    state.answers = false
    clock.advance(44_999)
    expect([state.pings, ended]).toEqual([3, []])
    clock.advance(15_001)
    expect([state.pings, ended]).toEqual([3, [connection]])
    expect(clock.pending).toBe(0)
  })

  it('forgives who answers the second only', () => {
    const { clock, ended, heartbeat } = start()
    const { state, connection } = peer()
    heartbeat.start(connection)
    state.answers = false
    clock.advance(45_000)
    expect(state.pings).toBe(2)
    state.answers = true
    clock.advance(60_000)
    expect(ended).toEqual([])
  })

  it('is spread over time', () => {
    const { clock, heartbeat } = start(255)
    const { state, connection } = peer()
    heartbeat.start(connection)
    clock.advance(16_000)
    expect(state.pings).toBe(1)
  })

  it('has one timer for all, and none for those that are gone or cannot be pinged', () => {
    const { clock, heartbeat } = start()
    heartbeat.start({ transport: {} } as unknown as LiveConnection)
    expect(clock.pending).toBe(0)
    const all = [peer(), peer()]
    for (const { connection } of all) heartbeat.start(connection)
    expect(clock.pending).toBe(1)
    for (const { connection } of all) heartbeat.stop(connection)
    expect(clock.pending).toBe(0)
  })
})
