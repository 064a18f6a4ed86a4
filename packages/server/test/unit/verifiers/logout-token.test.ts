import { logoutToken } from '@sallyport/server/jwt'
import { describe, expect, it } from 'vitest'
import { audience, issuer, now, signingPair, tokenBy } from '../../support/tokens.js'

const key = signingPair('ES256')
const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
const token = (claims = {}) => tokenBy(key, { header: { typ: 'logout+jwt' }, claims: { jti: 'l1', events, ...claims } })
const verify = (text: string) =>
  logoutToken({ publicKey: key.publicKey, algorithms: ['ES256'], issuer, audience })(text, now)

describe('a logout token', () => {
  it('is 8,192 characters long at most', async () => {
    expect(await verify(token({ pad: 'x'.repeat(5_000) }))).toMatchObject({ issuer })
    expect(await verify(token({ pad: 'x'.repeat(7_000) }))).toEqual({ rejected: 'credential-unreadable' })
  })

  it('has one spelling', async () => {
    const text = token()
    // The last character of 64 bytes in base64url has four bits that mean nothing.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const other = text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1)!) + 1]
    expect(await verify(text)).toMatchObject({ issuer })
    expect(await verify(other)).toEqual({ rejected: 'credential-unreadable' })
  })
})
