import { createHmac, timingSafeEqual } from 'node:crypto'
import { expect, it } from 'vitest'
import { session } from '../../src/verifiers/session.js'
import { accepted, contextAt, refused } from '../support/verification.js'

// A signed session cookie as frameworks write it: the id, a dot, and a MAC over the id in base64url.
const sign = (id: string, secret: string) => `${id}.${createHmac('sha256', secret).update(id).digest('base64url')}`

const verifyWith = (secrets: readonly string[]) =>
  session((value) => {
    const id = value.slice(0, value.lastIndexOf('.'))
    const good = secrets.some((secret) => {
      const [expected, given] = [Buffer.from(sign(id, secret)), Buffer.from(value)]
      return expected.length === given.length && timingSafeEqual(expected, given)
    })
    return good && id === 'session-1' ? { identity: { id: 'ada' } } : undefined
  })

const cookie = sign('session-1', 'current secret')

it('B31 refuses a signed cookie that was changed anywhere', async () => {
  const verify = verifyWith(['current secret'])
  await accepted(verify, cookie)
  for (let at = 0; at < cookie.length; at++) {
    for (const other of ['A', 'b', '.', '%', ' ', '\u00e9']) {
      const changed = cookie.slice(0, at) + other + cookie.slice(at + 1)
      if (changed !== cookie) await refused(verify, changed, 'credential-unknown')
    }
  }
})

it('B31 refuses a cookie signed with a secret that was retired, or that of another application', async () => {
  await accepted(verifyWith(['next secret', 'current secret']), cookie)
  await refused(verifyWith(['next secret']), cookie, 'credential-unknown')
  await refused(verifyWith(['current secret']), sign('session-1', 'another secret'), 'credential-unknown')
})

it('B31 hands the look-up exactly what came', async () => {
  const seen: string[] = []
  const verify = session((value) => {
    seen.push(value)
    return { identity: { id: 'ada' } }
  })
  const values = [' padded ', '%41', '"quoted"', 'a+b', 'a=b==', '\u00e9\u0000']
  for (const value of values) await verify(value, contextAt())
  expect(seen).toEqual(values)
})
