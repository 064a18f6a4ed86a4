import { cookie, createGuard, header, type Identity, subprotocol, ticket, type Verifier } from '@sallyport/server'
import { describe, expect, it, vi } from 'vitest'
import { guardOfHandshakes, origin, verifyGood } from '../support/guard.js'
import { type RawHeaders, rawHandshake, rawRequest } from '../support/raw.js'
import { expectAccepted, expectRefusal } from '../support/refusal.js'
import { startServer } from '../support/server.js'

/** What a proxy such as oauth2-proxy makes of its own cookie, whichever page has opened the socket. */
const byProxy: RawHeaders = { Host: 'api.example.com', Authorization: 'Bearer good-ada', Cookie: '_oauth2_proxy=x' }
const evil = 'https://evil.example'
const own = 'https://api.example.com'

/** A guard for programs alone, which lists no origin. */
const guardOfPrograms = (verify: Verifier<Identity> = verifyGood) =>
  createGuard({ protocols: ['app.v1'], accept: [ticket(), header({ verify }), subprotocol({ verify })] })

const guards = [
  ['that lists its pages', (verify?: Verifier<Identity>) => guardOfHandshakes(verify)],
  ['that lists none', guardOfPrograms],
] as const

/** Expects a handshake to be refused unverified, and the same from a program to be accepted. */
async function expectForeign(create: (typeof guards)[number][1], page: RawHeaders, program: RawHeaders): Promise<void> {
  const verify = vi.fn(verifyGood)
  const { port } = await startServer(create(verify))
  await expectRefusal(port, rawHandshake('/ws', { ...byProxy, ...page }), 403)
  expect(verify).not.toHaveBeenCalled()
  await expectAccepted(port, rawHandshake('/ws', { ...byProxy, ...page, ...program }))
}

const noMetadata = { 'Sec-Fetch-Site': undefined, 'Sec-Fetch-Mode': undefined, 'Sec-Fetch-Dest': undefined }

describe.each(guards)('a guard %s, behind a proxy that writes Authorization', (_, create) => {
  it.each<[string, RawHeaders]>([
    ['as an old browser sends it', {}],
    [
      'as Chromium sends it',
      { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'websocket', 'Sec-Fetch-Dest': 'websocket' },
    ],
    [
      'as Firefox sends it',
      { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'websocket', 'Sec-Fetch-Dest': 'empty' },
    ],
  ])('D17 refuses a foreign page: %s', (_, metadata) =>
    expectForeign(create, { Origin: evil, ...metadata }, { ...noMetadata, Origin: own }),
  )

  it.each([
    'null',
    'https://api.example.com.evil.example',
    'https://evil-api.example.com',
    'https://api.example.com:8443',
    'https://sub.api.example.com',
    'https://example.com',
    'https://api.example.com/',
    'https://user@api.example.com',
    'https://api.example.com, https://evil.example',
    'app://api.example.com',
    'wss://api.example.com',
    'api.example.com',
    '',
  ])('D17 takes no lookalike for its own host: %j', (lookalike) =>
    expectForeign(create, { Origin: lookalike }, { Origin: own }),
  )

  it.each<[string, RawHeaders]>([
    ['X-Forwarded-Host', { 'X-Forwarded-Host': 'evil.example' }],
    ['Forwarded', { Forwarded: 'host=evil.example' }],
    ['X-Forwarded-Proto', { 'X-Forwarded-Proto': 'https' }],
  ])('D17 lets nothing but Host say which host that is: %s', (_, headers) =>
    expectForeign(create, { Origin: evil, ...headers }, { Origin: own }),
  )

  it.each<[string, RawHeaders]>([
    ['Sec-Fetch-Site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['Sec-Fetch-Site, and says same-origin', { 'Sec-Fetch-Site': 'same-origin' }],
    ['Sec-Fetch-Dest', { 'Sec-Fetch-Dest': 'websocket' }],
    ['Sec-Fetch-User', { 'Sec-Fetch-User': '?1' }],
    ['what there may be one day', { 'Sec-Fetch-Storage-Access': 'active' }],
  ])('D17 refuses a browser without an origin: one that sends %s', (_, metadata) =>
    expectForeign(create, metadata, Object.fromEntries(Object.keys(metadata).map((name) => [name, undefined]))),
  )

  it('D17 refuses the very handshake whose header would be refused too, and tells no page by Close', async () => {
    const { port } = await startServer(create())
    const bad = { ...byProxy, Authorization: 'Bearer bad' }
    await expectRefusal(port, rawHandshake('/ws', { ...bad, Origin: evil }), 403)
    await expectRefusal(port, rawHandshake('/ws', { ...bad, Origin: undefined }), 401)
  })

  it('D18 accepts programs: no origin, and whatever else they send', async () => {
    const { port } = await startServer(create())
    for (const program of [{}, { 'User-Agent': 'curl/8.5.0', Accept: '*/*' }, { Cookie: undefined }]) {
      await expectAccepted(port, rawHandshake('/ws', { ...byProxy, ...program }))
    }
  })

  it('D18 accepts the WebSocket of Node.js, which sends Sec-Fetch-Mode and nothing else of a browser', async () => {
    const { port } = await startServer(create())
    const undici = {
      Accept: '*/*',
      'Accept-Language': '*',
      'Sec-Fetch-Mode': 'websocket',
      'User-Agent': 'node',
      Pragma: 'no-cache',
      'Cache-Control': 'no-cache',
      'Accept-Encoding': 'gzip, deflate',
    }
    await expectAccepted(port, rawHandshake('/ws', { ...byProxy, ...undici }))
    await expectRefusal(port, rawHandshake('/ws', { ...byProxy, ...undici, Origin: evil }), 403)
  })

  // RCTWebSocketModule.mm with SocketRocket: SRHTTPConnectMessage, SRURLOrigin. The port of the URL stands in `Host` as it
  // was written, the origin leaves the default one out; the cookies are those of the shared jar for that URL.
  it.each<[string, RawHeaders]>([
    ['wss://api.example.com/ws', { Host: 'api.example.com', Origin: 'https://api.example.com' }],
    ['wss://api.example.com:443/ws', { Host: 'api.example.com:443', Origin: 'https://api.example.com' }],
    ['wss://api.example.com:8443/ws', { Host: 'api.example.com:8443', Origin: 'https://api.example.com:8443' }],
    ['wss://API.example.com/ws', { Host: 'API.example.com', Origin: 'https://API.example.com' }],
    ['ws://192.168.0.7:3000/ws', { Host: '192.168.0.7:3000', Origin: 'http://192.168.0.7:3000' }],
    ['ws://[fd00::7]:3000/ws', { Host: '[fd00::7]:3000', Origin: 'http://[fd00::7]:3000' }],
  ])('D19 accepts React Native on iOS: %s', async (_, addresses) => {
    const { port } = await startServer(create())
    const sent = {
      ...addresses,
      Cookie: 'session=good-eve; _ga=GA1.2.3',
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      Authorization: 'Bearer good-ada',
    }
    await expectAccepted(port, rawHandshake('/ws', sent))
    await expectRefusal(port, rawHandshake('/ws', { ...sent, Origin: evil }), 403)
  })

  // WebSocketModule.kt with OkHttp: getDefaultOrigin keeps the port of the URL, `Host` leaves the default one out.
  it.each<[string, RawHeaders]>([
    ['wss://api.example.com/ws', { Host: 'api.example.com', Origin: 'https://api.example.com' }],
    ['wss://api.example.com:443/ws', { Host: 'api.example.com', Origin: 'https://api.example.com:443' }],
    ['ws://10.0.2.2:3000/ws', { Host: '10.0.2.2:3000', Origin: 'http://10.0.2.2:3000' }],
    ['ws://10.0.2.2:80/ws', { Host: '10.0.2.2', Origin: 'http://10.0.2.2:80' }],
  ])('D19 accepts React Native on Android: %s', async (_, { Origin, ...host }) => {
    const { port } = await startServer(create())
    const sent = {
      Cookie: 'session=good-eve; _ga=GA1.2.3',
      Authorization: 'Bearer good-ada',
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      ...host,
      'Accept-Encoding': 'gzip',
      'User-Agent': 'okhttp/4.12.0',
      'Sec-WebSocket-Extensions': 'permessage-deflate',
    }
    await expectAccepted(port, rawHandshake('/ws', { ...sent, origin: Origin }))
    await expectRefusal(port, rawHandshake('/ws', { ...sent, origin: evil }), 403)
  })
})

describe('a page that may connect, behind a proxy that writes Authorization', () => {
  const metadata = { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'websocket' }

  it('D20 is one of the list', async () => {
    const { port } = await startServer(guardOfHandshakes())
    await expectAccepted(port, rawHandshake('/ws', { ...byProxy, ...metadata, Origin: origin }))
    await expectAccepted(port, rawHandshake('/ws', { ...byProxy, Origin: origin }))
    // The host itself is not on the list, and what a browser sends for its pages is no program.
    await expectRefusal(port, rawHandshake('/ws', { ...byProxy, ...metadata, Origin: own }), 403)
    await expectRefusal(port, rawHandshake('/ws', { ...byProxy, 'Sec-Fetch-Mode': 'websocket', Origin: own }), 403)
    await expectAccepted(port, rawHandshake('/ws', { ...byProxy, Origin: own }))
  })

  it('D20 is that of the host, where none is listed', async () => {
    const { port } = await startServer(guardOfPrograms())
    await expectAccepted(port, rawHandshake('/ws', { ...byProxy, ...metadata, Origin: own }))
    await expectRefusal(port, rawHandshake('/ws', { ...byProxy, ...metadata, Origin: origin }), 403)
  })

  it('D20 is none at the routes but those of the list, whatever the header', async () => {
    const { port } = await startServer(guardOfHandshakes())
    const post = (headers: RawHeaders) => {
      const lines = { ...byProxy, Connection: 'close', Upgrade: undefined, ...headers }
      return rawRequest(port, rawHandshake('', lines, 'POST /ws/ticket HTTP/1.1'))
    }
    expect((await post({ Origin: own })).status).toBe(403)
    expect((await post({ Origin: evil, ...metadata })).status).toBe(403)
    expect((await post({ Origin: origin, ...metadata })).status).toBe(201)
    expect((await post({})).status).toBe(201)
  })

  it('D20 changes nothing for what a page must have itself: a ticket, a subprotocol, a cookie', async () => {
    const accept = [header({ verify: verifyGood }), cookie({ name: 'session', verify: verifyGood })] as const
    const { port } = await startServer(createGuard({ origins: [origin], accept }))
    const page = { Cookie: 'session=good-ada', ...metadata }
    await expectAccepted(port, rawHandshake('/ws', { ...page, Origin: origin }))
    await expectRefusal(port, rawHandshake('/ws', { ...page, Host: 'api.example.com', Origin: own }), 403)
  })
})
