import { type CodeName, codes } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { toHttp1 } from '../../../src/adapters/node/http1.js'
import { refusalAnswer } from '../../../src/refusals/http-answer.js'

describe('toHttp1', () => {
  it('writes a whole response that ends the connection', () => {
    expect(toHttp1({ status: 401, headers: { 'WWW-Authenticate': 'Bearer' }, body: 'grüße' })).toBe(
      'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 7\r\nConnection: close\r\n\r\ngrüße',
    )
  })

  it.each(Object.keys(codes) as CodeName[])('writes %s so that its length is told in bytes', (name) => {
    const [head = '', body = ''] = toHttp1(refusalAnswer({ code: name })).split('\r\n\r\n')
    expect(head).toContain(`\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`)
    expect(head).toMatch(/^HTTP\/1\.1 \d{3} [A-Z][A-Za-z ]+\r\n/)
    expect(
      head
        .split('\r\n')
        .slice(1)
        .every((line) => /^[A-Za-z-]+: [\x20-\x7e]+$/.test(line)),
    ).toBe(true)
  })
})
