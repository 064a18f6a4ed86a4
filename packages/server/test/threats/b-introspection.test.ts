import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { ConfigurationError, UnavailableError, type Verifier } from '../../src/index.js'
import { type IntrospectionRules, introspection } from '../../src/verifiers/introspection.js'
import { testClock } from '../support/clock.js'
import { type Answer, silence, startJsonServer, status } from '../support/json-server.js'
import { audience, goodClaims, issuer, now } from '../support/tokens.js'
import { accepted, contextAt, refused } from '../support/verification.js'

const clientSecret = 'canary-secret'
const active = (claims: Record<string, unknown> = {}) => ({ active: true, ...goodClaims(claims) })

async function start(answer: Answer, options: Partial<IntrospectionRules> = {}) {
  const server = await startJsonServer(answer)
  const required = { endpoint: server.url, clientId: 'chat', clientSecret, issuer, audience }
  return { server, verify: introspection({ ...required, ...options }) }
}

const unavailable = (verify: Verifier, text = 'opaque', at = now) =>
  expect(async () => verify(text, contextAt(at))).rejects.toThrow(UnavailableError)

const text =
  (body: string): Answer =>
  (response) =>
    response.end(body)

it.each<[string, Answer]>([
  ['no active', goodClaims()],
  ['active as text', { ...active(), active: 'true' }],
  ['active as a number', { ...active(), active: 1 }],
  ['active null', { ...active(), active: null }],
  ['a list', [active()]],
  ['null', text('null')],
  ['text', text('"active"')],
  ['a page', text('<html>{"active":true}</html>')],
  ['half an answer', text('{"active":true')],
  ['nothing', text('')],
  ['201', (response) => response.writeHead(201).end(JSON.stringify(active()))],
  ['401, though our secret is at fault and not the token', status(401)],
  ['500', status(500)],
  ['a broken connection', (response) => void response.destroy()],
  ['more than it may', { ...active(), padding: 'x'.repeat(65_536) }],
])('B24 cannot know when the issuer answers %s', async (_, answer) => {
  const { server, verify } = await start(answer)
  await unavailable(verify)
  server.answer = active()
  await accepted(verify, 'opaque')
})

it('B24 refuses a token that is not active, whatever else is said of it', async () => {
  const { server, verify } = await start({ ...active(), active: false })
  await refused(verify, 'opaque', 'credential-unknown')
  server.answer = active()
  await accepted(verify, 'another')
})

it.each<[string, Record<string, unknown>, string]>([
  ['of another issuer', { iss: 'https://other.example.com' }, 'token-issuer'],
  ['of no clear issuer', { iss: null }, 'token-issuer'],
  ['for another audience', { aud: 'https://other.example.com' }, 'token-audience'],
  ['for other audiences', { aud: ['https://other.example.com'] }, 'token-audience'],
  ['for no audience', { aud: undefined }, 'token-audience'],
  ['for no clear audience', { aud: { [audience]: true } }, 'token-audience'],
  ['that has expired', { exp: now / 1000 - 5 }, 'credential-expired'],
  ['that expires who knows when', { exp: `${now / 1000 + 60}` }, 'token-claims'],
  ['that is not good yet', { nbf: now / 1000 + 6 }, 'credential-not-yet-valid'],
  ['that is good who knows when', { nbf: 'now' }, 'token-claims'],
  ['of nobody', { sub: undefined }, 'token-claims'],
  ['of no clear subject', { sub: 5 }, 'token-claims'],
  ['of no clear scope', { scope: 5 }, 'token-claims'],
  ['that is bound to a key', { cnf: { jkt: 'AAAA' } }, 'token-type'],
  ['that is used with a proof', { token_type: 'DPoP' }, 'token-type'],
  ['of no clear type', { token_type: 5 }, 'token-type'],
  ['that is a refresh token', { typ: 'Refresh' }, 'token-type'],
])('B24 refuses an active token %s', async (_, claims, reason) => {
  const { server, verify } = await start(active(claims))
  await refused(verify, 'opaque', reason)
  server.answer = active()
  await accepted(verify, 'another')
})

it('B24 takes an active token that tells less, or the same otherwise', async () => {
  for (const claims of [
    { iss: undefined },
    { exp: undefined },
    { exp: now / 1000 - 4 },
    { nbf: now / 1000 + 5 },
    { aud: ['https://other.example.com', audience] },
    { token_type: 'bearer' },
  ]) {
    const { verify } = await start(active(claims))
    const { identity } = await accepted(verify, 'opaque')
    expect(identity).toMatchObject({ id: 'ada', issuer })
  }
})

it('B24 waits three seconds and no longer', async () => {
  const clock = testClock(now)
  const { server, verify } = await start(silence, { clock })
  const asked = server.nextRequest()
  const answered = unavailable(verify)
  await asked
  clock.advance(2_999)
  expect(clock.pending).toBe(1)
  clock.advance(1)
  await answered
})

it('B25 remembers a good token for ten seconds, and then learns that it was revoked', async () => {
  const { server, verify } = await start(active())
  await accepted(verify, 'opaque')
  server.answer = { active: false }
  expect(verify('opaque', contextAt(now + 9_999))).not.toBeInstanceOf(Promise)
  await refused(verify, 'opaque', 'credential-unknown', now + 10_000)
  expect(server.received).toHaveLength(2)
})

it('B25 remembers no token beyond its end and the leeway', async () => {
  const { server, verify } = await start(active({ exp: now / 1000 + 1 }))
  await accepted(verify, 'opaque', now + 5_999)
  expect(verify('opaque', contextAt(now + 5_999))).not.toBeInstanceOf(Promise)
  await refused(verify, 'opaque', 'credential-expired', now + 6_000)
  expect(server.received).toHaveLength(2)
})

it('B25 asks every time when it may not remember', async () => {
  const { server, verify } = await start(active(), { maxAge: 0 })
  await accepted(verify, 'opaque')
  await accepted(verify, 'opaque')
  server.answer = { active: false }
  await refused(verify, 'opaque', 'credential-unknown')
  expect(server.received).toHaveLength(3)
})

it('B26 sends the token in the body of a POST, and the secret in the header', async () => {
  const { server, verify } = await start(active())
  await accepted(verify, 'opaque+token/=')
  const [request] = server.received
  expect(request).toMatchObject({
    method: 'POST',
    url: '/',
    body: 'token=opaque%2Btoken%2F%3D&token_type_hint=access_token',
    headers: {
      authorization: `Basic ${btoa(`chat:${clientSecret}`)}`,
      'content-type': expect.stringMatching(/^application\/x-www-form-urlencoded/),
    },
  })
})

it.each<[string, Answer]>([
  ['an error', status(500)],
  ['no JSON', text(`canary-token ${clientSecret}`)],
  ['a redirect', status(302, { location: 'http://127.0.0.1:1/' })],
  ['a broken connection', (response) => void response.destroy()],
])('B26 tells neither token nor secret in its errors after %s', async (_, answer) => {
  const { verify } = await start(answer)
  const error = await Promise.resolve(verify('canary-token', contextAt())).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(UnavailableError)
  expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/canary|Basic/)
})

it('B26 follows no redirect with a token', async () => {
  const target = await startJsonServer(active())
  for (const code of [301, 302, 303, 307, 308]) {
    const { server, verify } = await start(status(code, { location: target.url }))
    await unavailable(verify)
    server.answer = active()
    await accepted(verify, 'opaque')
  }
  expect(target.received).toEqual([])
})

it('B26 does not start with a secret in the address, or without encryption', () => {
  const options = { clientId: 'chat', clientSecret, issuer, audience }
  for (const endpoint of [
    'https://chat:secret@id.example.com/',
    'http://id.example.com/',
    'http://127.evil.example/',
  ]) {
    expect(() => introspection({ endpoint, ...options })).toThrow(ConfigurationError)
  }
  for (const endpoint of ['https://id.example.com/', 'http://127.0.0.1:1/', 'http://[::1]/', 'http://localhost/']) {
    expect(() => introspection({ endpoint, ...options })).not.toThrow()
  }
})

it('B27 asks nobody about what is no token', async () => {
  const { server, verify } = await start(active(), { pattern: /^opaque_[a-z]{6}$/ })
  await accepted(verify, 'opaque_abcdef')
  for (const other of ['opaque_abcde', 'opaque_ABCDEF', 'x', 'a b', '\u0000', 'opaque_abcdef\n', 'o'.repeat(5_000)]) {
    await refused(verify, other, 'credential-unreadable')
  }
  expect(server.received).toHaveLength(1)
})

it('B27 asks once about a token that many present', async () => {
  const { server, verify } = await start(active())
  await Promise.all(Array.from({ length: 100 }, () => accepted(verify, 'opaque')))
  expect(server.received).toHaveLength(1)
})

it('B27 asks once about a bad token in ten seconds, and keeps the good ones in mind meanwhile', async () => {
  const { server, verify } = await start(active(), { cacheSize: 10 })
  await accepted(verify, 'opaque')
  server.answer = { active: false }
  for (let round = 0; round < 5; round++) await refused(verify, 'bad', 'credential-unknown', now + round)
  expect(server.received).toHaveLength(2)
  for (let i = 0; i < 30; i++) await refused(verify, `bad-${i}`, 'credential-unknown')
  expect(verify('opaque', contextAt())).not.toBeInstanceOf(Promise)
  await refused(verify, 'bad', 'credential-unknown', now + 10_000)
})

it('B27 has a hundred questions open and no more', async () => {
  const { server, verify } = await start(silence)
  const releases: (() => void)[] = []
  let hundred = () => {}
  const reached = new Promise<void>((resolve) => {
    hundred = resolve
  })
  server.answer = (response) => {
    releases.push(() => response.end('{"active":false}'))
    if (releases.length === 100) hundred()
  }
  const waiting = Array.from({ length: 100 }, (_, i) => refused(verify, `token-${i}`, 'credential-unknown'))
  await reached
  await unavailable(verify, 'one-more')
  for (const release of releases) release()
  await Promise.all(waiting)
  expect(server.received).toHaveLength(100)
  server.answer = active()
  await accepted(verify, 'one-more')
})

it('B27 asks a failing issuer once in five seconds', async () => {
  const { server, verify } = await start(status(503))
  for (let i = 0; i < 1000; i++) await unavailable(verify, `token-${i}`, now + i)
  expect(server.received).toHaveLength(5)
  await unavailable(verify, 'probe', now + 5_003)
  await unavailable(verify, 'probe', now + 5_004)
  await unavailable(verify, 'probe', now + 5_005)
  expect(server.received).toHaveLength(6)
  server.answer = active()
  await unavailable(verify, 'opaque', now + 10_003)
  await accepted(verify, 'opaque', now + 10_004)
  await accepted(verify, 'another', now + 10_004)
})

it('B27 does not mind a failure now and then', async () => {
  const { server, verify } = await start(status(503))
  for (let i = 0; i < 20; i++) {
    server.answer = i % 5 === 4 ? active() : status(503)
    if (i % 5 === 4) await accepted(verify, `token-${i}`)
    else await unavailable(verify, `token-${i}`)
  }
  expect(server.received).toHaveLength(20)
})
