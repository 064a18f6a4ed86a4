import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Action,
  type Code,
  type CodeName,
  codes,
  type Kind,
  outcomeOfClose,
  outcomeOfStatus,
} from '../src/index.js'

const rows = Object.entries(codes) as [CodeName, Code][]

describe('codes', () => {
  it.each(rows)('%s fits on the wire', (_, { status, close, reason }) => {
    // RFC 6455 section 5.5: 125 bytes of payload, two of which are the code.
    expect(new TextEncoder().encode(reason).length).toBeLessThanOrEqual(123)
    // Plain text, so that no reason can break a status line, a header or a log.
    expect(reason).toMatch(/^[A-Z][a-z]+(?: [a-z]+)*$/)
    if (status !== undefined) expect(status >= 400 && status <= 599).toBe(true)
    if (close !== undefined) expect([1001, 1008, 1009, 1011, 1012, 1013].includes(close) || isPrivate(close)).toBe(true)
    expect(status ?? close).toBeDefined()
  })

  it.each(rows.filter(([, { close }]) => close !== undefined && isPrivate(close)))(
    '%s closes with 4000 plus the last two digits of its status',
    (name, { status, close }) => {
      if (status === undefined) return expect(['revoked', 'expired']).toContain(name)
      // A late credential is a bad one to the client: the one stated exception.
      expect(close).toBe(name === 'timeout' ? 4001 : 4000 + (status % 100))
    },
  )

  it('says what the wire table of the protocol says', () => {
    const table = Object.fromEntries(rows.map(([name, { status, close, action }]) => [name, [close, status, action]]))
    expect(table).toEqual({
      unauthenticated: [4001, 401, 'retry-once'],
      timeout: [4001, 408, 'retry-once'],
      forbidden: [4003, 403, 'stop'],
      replaced: [4009, 409, 'stop'],
      revoked: [4010, undefined, 'stop'],
      expired: [4019, undefined, 'reconnect'],
      limited: [4029, 429, 'wait'],
      unavailable: [1013, 503, 'back-off'],
      restart: [1012, 503, 'jitter'],
      goingAway: [1001, 503, 'jitter'],
      badRequest: [1008, 400, 'stop'],
      credentialTooLarge: [1009, 431, 'stop'],
      tooLarge: [undefined, 413, 'stop'],
      internal: [1011, 500, 'back-off'],
      notFound: [undefined, 404, 'stop'],
      methodNotAllowed: [undefined, 405, 'stop'],
      upgradeRequired: [undefined, 426, 'stop'],
    })
  })
})

describe('outcomeOfClose', () => {
  it.each(rows.filter(([, { close }]) => close !== undefined))('answers the action of %s', (_, { close, action }) => {
    expect(outcomeOfClose(close!).action).toBe(action)
  })

  it.each<[number, Action]>([
    [1000, 'back-off'],
    [1006, 'back-off'],
    [3000, 'back-off'],
    [4000, 'back-off'],
    [4499, 'back-off'],
    [4500, 'stop'],
    [4999, 'stop'],
    [5000, 'back-off'],
  ])('answers for the unknown code %i: %s', (close, action) => {
    expect(outcomeOfClose(close).action).toBe(action)
  })
})

describe('the kind', () => {
  it.each<[number, Kind]>([
    [1000, 'closed'],
    [1006, 'network'],
    [1008, 'misconfigured'],
    [1013, 'unavailable'],
    [4003, 'forbidden'],
    [4100, 'closed'],
  ])('of Close %i is %s', (close, kind) => {
    expect(outcomeOfClose(close).kind).toBe(kind)
  })

  it.each<[number, Kind]>([
    [401, 'unauthenticated'],
    [404, 'misconfigured'],
    [429, 'limited'],
    [502, 'unavailable'],
  ])('of HTTP %i is %s', (status, kind) => {
    expect(outcomeOfStatus(status).kind).toBe(kind)
  })
})

describe('outcomeOfStatus', () => {
  it.each(rows.filter(([, { status }]) => status !== undefined && status !== 503))(
    'answers the action of %s',
    (_, { status, action }) => {
      expect(outcomeOfStatus(status!).action).toBe(action)
    },
  )

  it.each<[number, Action]>([
    [418, 'stop'],
    [499, 'stop'],
    [502, 'back-off'],
    [503, 'back-off'],
    [302, 'stop'],
    [200, 'stop'],
    [599, 'back-off'],
  ])('answers for %i: %s', (status, action) => {
    expect(outcomeOfStatus(status).action).toBe(action)
  })

  it('answers one of the actions for any number', () => {
    const actions = new Set(rows.map(([, { action }]) => action))
    fc.assert(
      fc.property(fc.double(), (code) => {
        expect(actions).toContain(outcomeOfStatus(code).action)
        expect(actions).toContain(outcomeOfClose(code).action)
      }),
    )
  })
})

function isPrivate(close: number): boolean {
  return close >= 4000 && close <= 4999
}
