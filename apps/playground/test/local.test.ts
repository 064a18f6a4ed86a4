import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { HttpError } from '../src/http.js'
import { ownUrls, requireLocal } from '../src/local.js'

const origins = ownUrls(8080).map(({ origin }) => origin)
const good = { address: '127.0.0.1', host: '127.0.0.1:8080', origin: 'http://127.0.0.1:8080' }

function check(request: { address: string; host?: string; origin?: string }): number {
  const { address, ...headers } = request
  try {
    requireLocal({ headers, socket: { remoteAddress: address } } as IncomingMessage, origins)
    return 200
  } catch (error) {
    if (error instanceof HttpError) return error.status
    throw error
  }
}

describe('requireLocal', () => {
  it.each([
    good,
    { ...good, address: '::1' },
    { ...good, address: '::ffff:127.0.0.1' },
    { ...good, host: 'localhost:8080' },
    { ...good, host: 'LOCALHOST' },
    { ...good, host: '[::1]:8080' },
    { ...good, origin: 'http://localhost:8080' },
    { ...good, origin: 'http://[::1]:8080' },
    { address: good.address, host: good.host },
  ])('lets its own user through: %o', (request) => {
    expect(check(request)).toBe(200)
  })

  it.each(['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1', ''])('refuses the peer %s', (address) => {
    expect(check({ ...good, address })).toBe(403)
  })

  it.each(['evil.example:8080', 'localhost.evil.example', '127.0.0.1.evil.example', '127.0.0.1@evil.example', ''])(
    'A06 refuses the rebound name %s',
    (host) => {
      expect(check({ ...good, host })).toBe(403)
    },
  )

  it.each(['https://evil.example', 'null', 'http://127.0.0.1:8081', 'https://127.0.0.1:8080', ''])(
    'C07 refuses a page of the origin %s',
    (origin) => {
      expect(check({ ...good, origin })).toBe(403)
    },
  )
})

describe('ownUrls', () => {
  it('writes origins as browsers do', () => {
    expect(ownUrls(80).map(({ origin }) => origin)).toEqual(['http://127.0.0.1', 'http://localhost', 'http://[::1]'])
  })
})
