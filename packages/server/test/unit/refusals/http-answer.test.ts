import { type CodeName, codes } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { refusalAnswer } from '../../../src/refusals/http-answer.js'
import { type Reason, reasons } from '../../../src/refusals/reasons.js'

const names = Object.keys(codes) as CodeName[]

describe('refusalAnswer', () => {
  it.each(names)('tells %s with its status, in JSON that is never cached', (name) => {
    const { status, headers, body } = refusalAnswer({ code: name })
    const row = codes[name]
    expect(status).toBe('status' in row ? row.status : 500)
    expect(headers).toMatchObject({ 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
    const { error, message, ...rest } = JSON.parse(body)
    expect(error).toBe(name)
    expect(message).toMatch(/\w/)
    expect(rest).toEqual({})
  })

  it.each<[CodeName, string, RegExp]>([
    // RFC 9110 sections 15.5.2 and 15.5.22, RFC 6455 section 4.4, RFC 6585 section 4.
    ['unauthenticated', 'WWW-Authenticate', /^Bearer$/],
    ['upgradeRequired', 'Upgrade', /^websocket$/],
    ['upgradeRequired', 'Sec-WebSocket-Version', /^13$/],
    ['limited', 'Retry-After', /^\d+$/],
    ['unavailable', 'Retry-After', /^\d+$/],
    ['restart', 'Retry-After', /^\d+$/],
  ])('says with %s what its status requires: %s', (name, header, value) => {
    expect(refusalAnswer({ code: name }).headers[header]).toMatch(value)
    expect(refusalAnswer({ code: 'badRequest' }).headers).not.toHaveProperty(header)
  })

  it.each(names)('says how long to wait exactly where waiting helps: %s', (name) => {
    const { status, headers } = refusalAnswer({ code: name })
    expect('Retry-After' in headers).toBe(status === 429 || status === 503)
  })

  it('says what is wrong with the form of a request, and one thing of every bad credential', () => {
    const told = new Map<string, Set<string>>()
    for (const [reason, code] of Object.entries(reasons) as [Reason, CodeName][]) {
      const { message } = JSON.parse(refusalAnswer({ code, reason }).body)
      told.set(code, (told.get(code) ?? new Set()).add(message))
      if (reason.startsWith('handshake-')) expect(message).toMatch(/^(?:Send|Ask for|Open) /)
    }
    expect(told.get('unauthenticated')?.size).toBe(1)
    const malformed = Object.values(reasons).filter((code) => code === 'badRequest')
    expect(told.get('badRequest')?.size).toBe(malformed.length)
    // Where no reason is told, one text for the code.
    const { message } = JSON.parse(refusalAnswer({ code: 'badRequest' }).body)
    expect(told.get('badRequest')).not.toContain(message)
  })

  it('adds the headers that it is given', () => {
    expect(refusalAnswer({ code: 'methodNotAllowed' }, { Allow: 'POST' }).headers).toMatchObject({ Allow: 'POST' })
    expect(refusalAnswer({ code: 'methodNotAllowed' }).headers).not.toHaveProperty('Allow')
  })
})
