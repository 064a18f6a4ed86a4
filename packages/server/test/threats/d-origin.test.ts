import { cookie, createGuard } from '@sallyport/server'
import { describe, expect, it, vi } from 'vitest'
import { guardOfHandshakes, origin, verifyGood } from '../support/guard.js'
import { type RawHeaders, rawHandshake, rawRequest } from '../support/raw.js'
import { expectAccepted, expectRefusal } from '../support/refusal.js'
import { echo, startServer } from '../support/server.js'

const evil = 'https://evil.example'
/** What `rawHandshake` calls. */
const own = 'http://127.0.0.1'
const victim = { Cookie: 'session=good-ada' }

/** Expects a refusal without a look-up of the session; and that the same page on the allowed origin is accepted. */
async function expectForeign(headers: RawHeaders, control: RawHeaders = { Origin: origin }): Promise<void> {
  const findSession = vi.fn(verifyGood)
  const onConnection = vi.fn(echo)
  const { port } = await startServer(guardOfHandshakes(findSession), onConnection)
  await expectRefusal(port, rawHandshake('/ws', { ...victim, ...headers }), 403)
  expect(findSession).not.toHaveBeenCalled()
  expect(onConnection).not.toHaveBeenCalled()
  await expectAccepted(port, rawHandshake('/ws', { ...victim, ...headers, ...control }))
  expect(findSession).toHaveBeenCalledTimes(1)
}

describe('D: the origin', () => {
  it('D01 refuses a foreign page with the cookie of its victim', () => expectForeign({ Origin: evil }))

  it.each(['null', 'NULL', 'Null'])('D02 refuses the origin %s', (opaque) => expectForeign({ Origin: opaque }))

  it('D02 never takes the origin null for one of a wildcard or of the host', async () => {
    const findSession = vi.fn(verifyGood)
    const accept = [cookie({ name: 'session', verify: findSession })] as const
    const guard = createGuard({ origins: ['https://*.example.com'], accept })
    const { port } = await startServer(guard)
    await expectRefusal(port, rawHandshake('/ws', { ...victim, Host: 'null', Origin: 'null' }), 403)
    expect(findSession).not.toHaveBeenCalled()
    await expectAccepted(port, rawHandshake('/ws', { ...victim, Host: 'null', Origin: origin }))
  })

  it.each<[string, RawHeaders]>([
    ['no origin', {}],
    ['an empty origin', { Origin: '' }],
    ['only the origin of an old draft', { 'Sec-WebSocket-Origin': origin }],
    ['only a referrer', { Referer: `${origin}/` }],
  ])('D03 refuses a cookie with %s', (_, headers) => expectForeign(headers))

  it('D03 asks no origin of a credential that no page sends by itself', async () => {
    const { port } = await startServer(guardOfHandshakes())
    await expectAccepted(port, rawHandshake('/ws', { Authorization: 'Bearer good-ada' }))
  })

  it.each([
    'https://app.example.com.evil.example',
    'https://app.example.comevil.example',
    'https://evil.example/app.example.com',
    'https://evilapp.example.com',
    'https://evil-app.example.com',
    'https://app-example.com',
    'https://appxexample.com',
    'https://app.examplexcom',
    'https://app.example.com@evil.example',
    'https://user@app.example.com',
    'https://user:password@app.example.com',
    'https://127.0.0.1',
    'https://[::1]',
    'https://2130706433',
    'https://app.example.com:8443',
    'https://app.example.com:80',
    'https://app.example.com:',
    'https://app.example.com:0443',
    'https://app.example.com:443:443',
    'http://app.example.com',
    'wss://app.example.com',
    'httpss://app.example.com',
    'https://app.example.com.',
    'https://app..example.com',
    'https://.app.example.com',
    'https://xn--pp-eia.example.com',
    'https://app.example.com, https://evil.example',
    'https://evil.example, https://app.example.com',
    'https://app.example.com https://evil.example',
    'https://evil.example#https://app.example.com',
    'https://evil.example?https://app.example.com',
    'https://evil.example\\@app.example.com',
    'https://app.example.com/',
    'https://app.example.com/ws',
    'https://app.example.com%2eevil.example',
    'https://app.example.com%00',
    'https://app%2eexample.com',
    'https:app.example.com',
    'https:/app.example.com',
    '//app.example.com',
    'app.example.com',
    '*',
    'https://*.example.com',
    'https://example.com',
    'https://com',
    'file://',
  ])('D04 refuses the origin %s', (lookalike) => expectForeign({ Origin: lookalike }))

  it.each([origin, 'https://app.example.com:443', 'HTTPS://App.Example.COM'])(
    'D04 accepts the equal %s',
    async (equal) => {
      const { port } = await startServer(guardOfHandshakes())
      await expectRefusal(port, rawHandshake('/ws', { ...victim, Origin: evil }), 403)
      await expectAccepted(port, rawHandshake('/ws', { ...victim, Origin: equal }))
    },
  )

  it.each(['https://blog.example.com', 'https://www.app.example.com', 'https://example.com'])(
    'D05 refuses %s, which is of the same site',
    (sibling) => expectForeign({ Origin: sibling, 'Sec-Fetch-Site': 'same-site' }),
  )

  it.each<[string, RawHeaders]>([
    ['Host', { Host: 'evil.example' }],
    ['X-Forwarded-Host', { 'X-Forwarded-Host': 'evil.example' }],
    ['Forwarded', { Forwarded: 'host=evil.example;proto=https' }],
    ['X-Original-Host', { 'X-Original-Host': 'evil.example' }],
  ])('D06 refuses an origin that is equal to %s', (_, headers) => expectForeign({ ...headers, Origin: evil }))

  it.each<[string, RawHeaders]>([
    ['Origin', { 'X-Forwarded-Origin': origin }],
    ['Host', { 'X-Forwarded-Host': 'app.example.com' }],
    ['scheme', { 'X-Forwarded-Proto': 'https', Host: 'app.example.com' }],
  ])('D06 lets no header speak for the origin: another %s', (_, headers) => expectForeign({ ...headers, Origin: evil }))

  it.each<[string, RawHeaders, RawHeaders]>([
    ['from another site', { 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }],
    [
      'from another site, twice',
      { 'Sec-Fetch-Site': ['cross-site', 'cross-site'] },
      { 'Sec-Fetch-Site': 'same-origin' },
    ],
    ['of mode cors', { 'Sec-Fetch-Mode': 'cors' }, { 'Sec-Fetch-Mode': 'websocket' }],
    ['of mode no-cors', { 'Sec-Fetch-Mode': 'no-cors' }, { 'Sec-Fetch-Mode': undefined }],
    ['of mode navigate', { 'Sec-Fetch-Mode': 'navigate' }, { 'Sec-Fetch-Mode': 'websocket' }],
    ['of two modes', { 'Sec-Fetch-Mode': ['websocket', 'navigate'] }, { 'Sec-Fetch-Mode': 'websocket' }],
    ['of an empty mode', { 'Sec-Fetch-Mode': '' }, { 'Sec-Fetch-Mode': 'websocket' }],
  ])('D07 refuses a request %s', (_, headers, control) => expectForeign({ Origin: origin, ...headers }, control))

  it.each<[string, RawHeaders]>([
    ['same-origin', { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'websocket' }],
    ['same-site', { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'websocket' }],
    ['none', { 'Sec-Fetch-Site': 'none', 'Sec-Fetch-Mode': 'websocket' }],
    ['absent', {}],
  ])('D07 accepts a request of an allowed origin whose site is %s', async (_, headers) => {
    const { port } = await startServer(guardOfHandshakes())
    await expectAccepted(port, rawHandshake('/ws', { ...victim, Origin: origin, ...headers }))
  })

  it.each(['Basic YWRhOmFkYQ==', 'Negotiate YWRh', 'Digest username="ada"', 'NTLM TlRMTVNTUAAB'])(
    'D14 asks the origin also of what browsers send by themselves: %s',
    async (authorization) => {
      const verify = vi.fn(verifyGood)
      const { port } = await startServer(guardOfHandshakes(verify))
      await expectRefusal(port, rawHandshake('/ws', { Authorization: authorization, Origin: evil }), 403)
      await expectRefusal(port, rawHandshake('/ws', { ...victim, Authorization: authorization, Origin: evil }), 403)
      // And from an allowed origin, or from none, it is still no credential of ours.
      await expectRefusal(port, rawHandshake('/ws', { Authorization: authorization, Origin: origin }), 400)
      await expectRefusal(port, rawHandshake('/ws', { ...victim, Authorization: authorization, Origin: origin }), 400)
      await expectRefusal(port, rawHandshake('/ws', { Authorization: authorization }), 400)
      expect(verify).not.toHaveBeenCalled()
      await expectAccepted(port, rawHandshake('/ws', { ...victim, Origin: origin }))
    },
  )

  it('D14 asks the origin of no header that only a program can send', async () => {
    const { port } = await startServer(guardOfHandshakes())
    await expectAccepted(port, rawHandshake('/ws', { Authorization: 'Bearer good-ada', Origin: own }))
    await expectAccepted(port, rawHandshake('/ws', { Authorization: 'Bearer good-ada' }))
  })

  it('D14 asks it at the HTTP routes, where a page can send that header', async () => {
    const { port } = await startServer(guardOfHandshakes())
    const post = (from: string) => {
      const headers = { Connection: 'close', Upgrade: undefined, Authorization: 'Bearer good-ada', Origin: from }
      return rawRequest(port, rawHandshake('', headers, 'POST /ws/ticket HTTP/1.1'))
    }
    expect((await post(evil)).status).toBe(403)
    expect((await post(origin)).status).toBe(201)
  })

  it.each<[string, string | undefined]>([
    ['iOS and Android, its own address', own],
    ['Windows, none', undefined],
  ])('D15 accepts React Native by header without a wildcard: the origin of %s', async (_, sent) => {
    const { port } = await startServer(guardOfHandshakes())
    await expectAccepted(port, rawHandshake('/ws', { Authorization: 'Bearer good-ada', Origin: sent }))
    await expectRefusal(port, rawHandshake('/ws', { ...victim, Origin: sent }), 403)
  })
})
