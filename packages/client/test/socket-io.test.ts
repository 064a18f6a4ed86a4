import { outcomeOf } from '@sallyport/client/socket-io'
import { codes } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'

/** As socket.io-client makes it of a CONNECT_ERROR packet. */
const refusedWith = (data?: unknown) => Object.assign(new Error('refused'), { data })
/** As engine.io-client makes it of an answer that is none. */
const transportError = (description: unknown) =>
  Object.assign(new Error('xhr poll error'), { description, context: {}, type: 'TransportError' })

describe('outcomeOf', () => {
  it.each(Object.values(codes).filter((row) => 'close' in row))('reads what the guard says: $reason', (row) => {
    const said = { code: row.close, reason: row.reason }
    expect(outcomeOf(said)).toEqual({ kind: row.kind, action: row.action, code: row.close })
    const error = refusedWith({ ...said, retryAfter: 5 })
    expect(outcomeOf(error)).toEqual({ ...outcomeOf(said), retryAfter: 5, cause: error })
  })

  it('keeps what a middleware of the application says', () => {
    for (const error of [refusedWith(), refusedWith('full'), refusedWith({ code: 'full' }), refusedWith({ code: 1 })]) {
      expect(outcomeOf(error)).toEqual({ kind: 'closed', action: 'stop', cause: error })
    }
  })

  it.each([
    [401, 'unauthenticated', 'retry-once'],
    [403, 'forbidden', 'stop'],
    [429, 'limited', 'wait'],
    [503, 'unavailable', 'back-off'],
    [404, 'misconfigured', 'stop'],
  ])('reads the status %i that polling tells', (status, kind, action) => {
    const error = transportError(status)
    expect(outcomeOf(error)).toEqual({ kind, action, status, cause: error })
  })

  it('takes nothing for a refusal that nobody has said', () => {
    const nothing = [
      transportError(0),
      transportError({ type: 'error' }),
      new Error('timeout'),
      undefined,
      null,
      'x',
      {},
    ]
    for (const cause of nothing) {
      expect(outcomeOf(cause)).toEqual({ kind: 'network', action: 'back-off', ambiguous: true, cause })
    }
  })
})
