import { ConfigurationError, cookie, createGuard } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { cookieCarrier } from '../../src/carriers/cookie.js'
import { origin, verifyGood } from '../support/guard.js'
import { handshake } from '../support/handshake.js'
import { rawHandshake } from '../support/raw.js'
import { expectAccepted, expectRefusal } from '../support/refusal.js'
import { startServer } from '../support/server.js'

const read = (lines: string | string[], name: string | RegExp = 'session') =>
  cookieCarrier(name)(handshake({ headers: [lines].flat().map((line) => ['cookie', line] as const) }))
const found = (credential: string) => ({ type: 'found', credential })
const malformed = { type: 'malformed' }
const absent = { type: 'absent' }

/** A cookie as a framework writes it. */
const forms: [writer: string, name: string, cookies: string, value: string][] = [
  [
    'PHP, Rails, Django, iron-session',
    'PHPSESSID',
    'PHPSESSID=r2t5uvjq435r4q7ib3vtdjq120',
    'r2t5uvjq435r4q7ib3vtdjq120',
  ],
  ['express-session', 'connect.sid', 'connect.sid=s%3Aabc.d%2Be', 's:abc.d+e'],
  ['cookie-session, beside its signature', 'session', 'session=eyJhIjoxfQ==; session.sig=AbC', 'eyJhIjoxfQ=='],
  ['Werkzeug, Tomcat: in quotes', 'session', 'session="a b"', 'a b'],
  ['Auth.js, whole', 'authjs.session-token', 'authjs.session-token=eyJ.a', 'eyJ.a'],
  ['Auth.js', 'authjs.session-token', 'authjs.session-token.0=eyJ; authjs.session-token.1=.a', 'eyJ.a'],
  ['next-auth, with its prefix', '__Secure-next-auth.session-token', '__Secure-next-auth.session-token.0=e', 'e'],
  ['Supabase', 'sb-x-auth-token', 'sb-x-auth-token.0=base64-ey; sb-x-auth-token.1=J9', 'base64-eyJ9'],
  ['Supabase, encoded', 'sb-x-auth-token', 'sb-x-auth-token.0=%5B%22a; sb-x-auth-token.1=%22%5D', '["a"]'],
  ['Auth0, express-openid-connect', 'appSession', 'appSession.0=ey; appSession.1=J', 'eyJ'],
  ['Better Auth', 'better-auth.session_data', 'better-auth.session_data.0=a; better-auth.session_data.1=b', 'ab'],
  [
    'ASP.NET Core',
    '.AspNetCore.Cookies',
    '.AspNetCore.Cookies=chunks-2; .AspNetCore.CookiesC1=CfD; .AspNetCore.CookiesC2=J8',
    'CfDJ8',
  ],
  ['Katana', '.AspNet.Cookies', '.AspNet.Cookies=chunks:1; .AspNet.CookiesC1=CfD', 'CfD'],
  ['h3, Nuxt, Nitro', 'h3', 'h3=__chunked__2; h3.1=Fe26; h3.2=.2', 'Fe26.2'],
]

describe('D: a cookie as frameworks write it', () => {
  it.each(forms)('D31 reads that of %s', (_, name, cookies, value) => {
    expect(read(cookies, name)).toEqual(found(value))
    // Browsers send them in any order, and proxies in several lines.
    const pairs = cookies.split('; ')
    expect(read(pairs.toReversed().join('; '), name)).toEqual(found(value))
    expect(read(pairs, name)).toEqual(found(value))
    expect(read(`theme=dark; ${pairs.join(';')} ;lang=en`, name)).toEqual(found(value))
  })

  it('D31 joins a dozen in the order of their numbers', () => {
    const all = Array.from({ length: 12 }, (_, i) => `session.${i}=${String.fromCharCode(97 + i)}`)
    expect(read(all.toSorted().join('; '))).toEqual(found('abcdefghijkl'))
  })

  it.each([
    ['a hole', 'session.0=a; session.2=c'],
    ['no first', 'session.1=b'],
    ['the same twice', 'session.0=a; session.0=a'],
    ['a number written otherwise', 'session.0=a; session.00=a'],
    ['a number written otherwise, in the place of another', 'session.0=a; session.01=b'],
    ['the whole beside them', 'session=ab; session.0=a; session.1=b'],
    ['an emptied whole beside them', 'session=; session.0=a'],
    ['one that is missing', 'session=chunks-2; sessionC1=a'],
    ['one too many', 'session=chunks-1; sessionC1=a; sessionC2=b'],
    ['none of those announced', 'session=chunks-1'],
    ['a lookalike of those announced', 'session=chunks-1; sessionC01=a'],
    ['counted from the wrong number', 'session=chunks-1; sessionC0=a'],
    ['those of another framework', 'session=__chunked__1; session.0=a'],
    ['one of two that h3 has announced', 'session=__chunked__2; session.1=a'],
    ['two wholes', 'session=chunks-1; sessionC1=a; session=b'],
  ])('D32 takes chunks all or not at all: %s', (_, cookies) => {
    expect(read('session.0=a; session.1=b')).toEqual(found('ab'))
    expect(read(cookies)).toEqual(malformed)
  })

  it.each([
    ['a signature', 'session.sig=a'],
    ['another cookie', 'session.0x=a'],
    ['another letter', 'sessionc1=a'],
    ['one that nobody has announced', 'sessionC1=a'],
    ['a longer name', 'my.session.0=a'],
    ['a sign in between', 'session.-1=a'],
    ['another case', 'Session.0=a'],
  ])('D32 takes none of the others for a chunk: %s', (_, cookies) => {
    expect(read(cookies)).toEqual(absent)
    expect(read(`${cookies}; session=b`)).toEqual(found('b'))
  })

  it.each(['chunks-0', 'chunks-01', 'chunks-100', 'chunks-', 'chunks-1a', '__chunked__', 'chunks'])(
    'D32 takes %j for a value of its own',
    (value) => {
      expect(read(`session=${value}`)).toEqual(found(value))
    },
  )

  it('D33 is found by a pattern that matches all of its name, once', () => {
    const name = /(?:__Secure-)?authjs\.session-token/
    expect(read('authjs.session-token=a', name)).toEqual(found('a'))
    expect(read('__Secure-authjs.session-token.0=a; __Secure-authjs.session-token.1=b', name)).toEqual(found('ab'))
    expect(read('x-authjs.session-token=a; authjs.session-token-x=b', name)).toEqual(absent)
    // Which of the two is the site's own, nobody knows.
    expect(read('authjs.session-token=a; __Secure-authjs.session-token=b', name)).toEqual(malformed)
    expect(read('authjs.session-token.0=a; __Secure-authjs.session-token.1=b', name)).toEqual(malformed)
    expect(read('s1=a', /s1|s2/)).toEqual(found('a'))
    expect(read('S1=a', /s1/i)).toEqual(found('a'))
  })

  it.each([/a/g, /a/y, '', 'a b', 'a;b'])('D33 does not start under %s', (name) => {
    expect(() => cookie({ name, verify: verifyGood })).toThrow(ConfigurationError)
    expect(() => cookie({ name: /a/, verify: verifyGood })).not.toThrow()
  })

  it.each([
    ['two lines of it', 'session=good, session=evil', malformed],
    ['behind another', 'theme=dark, session=good', malformed],
    ['before another', 'session=good, theme=dark', malformed],
    ['a chunk behind another', 'theme=dark, session.0=good', malformed],
    ['a second one hidden behind another', 'theme=dark, session=evil; session=good', malformed],
    ['others, which are no business of ours', 'theme=a, b=c; session=good', found('good')],
    ['a comma in a value', 'session=good,bad', found('good,bad')],
    ['a list as a value', 'session=good, bad', found('good, bad')],
  ])('D34 does not guess where a runtime has joined its lines: %s', (_, line, reading) => {
    expect(read(line)).toEqual(reading)
  })

  it('D31 comes by real handshakes, and is bounded as a whole', async () => {
    const accept = [cookie({ name: 'session', verify: verifyGood })] as const
    const { port } = await startServer(createGuard({ origins: [origin], accept, refuseBy: 'status' }))
    const page = (...chunks: string[]) =>
      rawHandshake('/ws', { Origin: origin, Cookie: chunks.map((chunk, i) => `session.${i}=${chunk}`).join('; ') })
    const long = 'a'.repeat(4_000)
    await expectAccepted(port, page('good', '-ada'))
    await expectAccepted(port, page('good-', long, long), `${long}${long}`)
    await expectRefusal(port, page('good-', long, long, 'a'.repeat(188)), 431)
    await expectRefusal(port, page('good-', long).replace('session.1', 'session.2'), 400)
  })
})
