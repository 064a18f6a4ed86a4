import { decodeJwt, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Playground } from '../src/playground.js'
import { type ForwardClock, forwardClock, post, secret, send, signIn, start } from './support/playground.js'

let clock: ForwardClock
let playground: Playground
const at = (path: string) => playground.url + path

beforeAll(async () => {
  clock = forwardClock()
  playground = await start({ clock })
})
afterAll(() => playground.close())

/** An error of ours: JSON with one sentence. */
function expectError(answer: { status: number; body: string }, status: number): string {
  expect(answer.status).toBe(status)
  const { error, ...rest } = JSON.parse(answer.body)
  expect(rest).toEqual({})
  expect(error).toMatch(/\w/)
  return error
}

describe('POST /login', () => {
  it('answers a token and the seconds it lives', async () => {
    const answer = await post(at('/login'), { user: ' ada ', expiresIn: 60 })
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toMatch(/^application\/json/)
    expect(answer.headers['cache-control']).toBe('no-store')
    const { token, expiresIn, ...rest } = JSON.parse(answer.body)
    expect({ expiresIn, rest }).toEqual({ expiresIn: 60, rest: {} })

    const { payload, protectedHeader } = await jwtVerify(token, secret, {
      issuer: 'sallyport-playground',
      audience: 'sallyport-playground',
    })
    expect(protectedHeader.alg).toBe('HS256')
    expect(payload).toEqual({
      iss: 'sallyport-playground',
      aud: 'sallyport-playground',
      sub: 'ada',
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 60,
      jti: expect.stringMatching(/^[\da-f-]{36}$/),
      sid: expect.stringMatching(/^[\da-f-]{36}$/),
    })
  })

  it('D09 sets the session cookie where no script and no foreign page gets at it', async () => {
    const { headers } = await post(at('/login'), { user: 'ada', expiresIn: 60 })
    const [cookie = '', ...others] = headers['set-cookie'] ?? []
    expect(others).toEqual([])
    const [pair, ...attributes] = cookie.split('; ')
    expect(pair).toMatch(/^session=[\w-]{43}$/)
    expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=60', 'Path=/', 'SameSite=Lax'])
  })

  it('lets a login last an hour unless told otherwise', async () => {
    expect(JSON.parse((await post(at('/login'), { user: 'ada' })).body).expiresIn).toBe(3600)
  })

  it('gives every login a session of its own', async () => {
    const [one, two] = [await signIn(playground), await signIn(playground)]
    expect(one.cookie).not.toBe(two.cookie)
    expect(decodeJwt(one.token).sid).not.toBe(decodeJwt(two.token).sid)
  })

  it('lets the same user join the session of the cookie, whose life is not cut short', async () => {
    const first = await signIn(playground, 'ada', 3600)
    const again = await post(at('/login'), { user: 'ada', expiresIn: 30 }, { cookie: first.cookie })
    expect(decodeJwt(JSON.parse(again.body).token).sid).toBe(decodeJwt(first.token).sid)
    expect(again.headers['set-cookie']?.[0]).toMatch(/Max-Age=3600/)
    expect(again.headers['set-cookie']?.[0]).toContain(first.cookie)
  })

  it('D13 gives another user another session, whatever the cookie', async () => {
    const first = await signIn(playground, 'ada')
    const other = await signIn(playground, 'grace', 60, { cookie: first.cookie })
    expect(other.cookie).not.toBe(first.cookie)
    expect(decodeJwt(other.token).sid).not.toBe(decodeJwt(first.token).sid)
  })

  it('D13 does not take up a session that it did not open', async () => {
    const planted = `session=${'x'.repeat(43)}`
    expect((await signIn(playground, 'ada', 60, { cookie: planted })).cookie).not.toBe(planted)
  })

  it.each([{ user: 'x' }, { user: 'x'.repeat(64) }, { user: 'ada', expiresIn: 1 }, { user: 'ada', expiresIn: 86_400 }])(
    'takes %o',
    async (body) => {
      expect((await post(at('/login'), body)).status).toBe(200)
    },
  )

  it.each([
    [{}, /"user" must be/],
    [{ user: '' }, /"user" must be/],
    [{ user: '   ' }, /"user" must be/],
    [{ user: 'x'.repeat(65) }, /"user" must be/],
    [{ user: 7 }, /"user" must be/],
    [{ user: 'ada', expiresIn: 0 }, /"expiresIn" must be/],
    [{ user: 'ada', expiresIn: 86_401 }, /"expiresIn" must be/],
    [{ user: 'ada', expiresIn: 1.5 }, /"expiresIn" must be/],
    [{ user: 'ada', expiresIn: '60' }, /"expiresIn" must be/],
    [{ user: 'ada', expiresIn: null }, /"expiresIn" must be/],
    ['ada', /an object/],
    [null, /an object/],
  ])('refuses %o and says what to send', async (body, says) => {
    const answer = await post(at('/login'), body)
    expect(expectError(answer, 400)).toMatch(says)
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  it('refuses what is no JSON', async () => {
    const answer = await send(at('/login'), { method: 'POST', headers: { 'content-type': 'application/json' } }, '{')
    expectError(answer, 400)
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', undefined])(
    'C07 refuses the media type %s, which a foreign form could send',
    async (type) => {
      const headers = type === undefined ? {} : { 'content-type': type }
      expectError(await send(at('/login'), { method: 'POST', headers }, '{"user":"ada"}'), 415)
    },
  )

  it('takes a media type with a parameter', async () => {
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' }
    expect((await send(at('/login'), { method: 'POST', headers }, '{"user":"ada"}')).status).toBe(200)
  })

  it('refuses a body over 1 KiB', async () => {
    expect((await post(at('/login'), { user: 'ada', pad: 'x'.repeat(900) })).status).toBe(200)
    expectError(await post(at('/login'), { user: 'ada', pad: 'x'.repeat(1100) }), 413)
  })

  it('A06 refuses a rebound name', async () => {
    expectError(await post(at('/login'), { user: 'ada' }, { host: 'evil.example' }), 403)
  })

  it.each(['https://evil.example', 'null'])('C07 refuses a page of the origin %s', async (origin) => {
    expectError(await post(at('/login'), { user: 'ada' }, { origin }), 403)
  })

  it('takes its own page', async () => {
    expect((await post(at('/login'), { user: 'ada' }, { origin: playground.url })).status).toBe(200)
  })
})

describe('POST /session', () => {
  const own = () => ({ origin: playground.url })

  it('answers who the session of the cookie is of, and a token for the rest of it', async () => {
    const { cookie, token: first } = await signIn(playground, 'ada', 60)
    const answer = await post(at('/session'), {}, { ...own(), cookie })
    const { token, ...rest } = JSON.parse(answer.body)
    expect({ status: answer.status, rest }).toEqual({
      status: 200,
      rest: { user: 'ada', expiresIn: expect.any(Number) },
    })
    expect(rest.expiresIn).toBeGreaterThan(55)
    expect(rest.expiresIn).toBeLessThanOrEqual(60)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(decodeJwt(token)).toMatchObject({ sub: 'ada', sid: decodeJwt(first).sid })
  })

  it('answers nobody without a session, and at its end', async () => {
    expect(JSON.parse((await post(at('/session'), {}, own())).body)).toEqual({ user: null })
    expect(JSON.parse((await post(at('/session'), {}, { ...own(), cookie: 'session=none' })).body)).toEqual({
      user: null,
    })
    const { cookie } = await signIn(playground, 'ada', 60)
    await post(at('/logout'), {}, { cookie })
    expect(JSON.parse((await post(at('/session'), {}, { ...own(), cookie })).body)).toEqual({ user: null })
  })

  it.each([
    ['a foreign page', { origin: 'https://evil.example' }],
    ['who tells no origin', {}],
  ])('D01 gives %s no token', async (_, headers) => {
    const { cookie } = await signIn(playground)
    expectError(await post(at('/session'), {}, { ...headers, cookie }), 403)
  })
})

describe('POST /logout', () => {
  it('clears the cookie', async () => {
    const { cookie } = await signIn(playground)
    const answer = await send(at('/logout'), { method: 'POST', headers: { cookie } })
    expect(answer.status).toBe(204)
    expect(answer.headers['set-cookie']).toEqual(['session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax'])
  })

  it('C06 ends the session: its cookie and its tokens get no more tickets', async () => {
    const { token, cookie } = await signIn(playground)
    const other = await signIn(playground)
    const byToken = (of: { token: string }) => ({ headers: { authorization: `Bearer ${of.token}` }, method: 'POST' })
    const byCookie = { headers: { cookie, origin: playground.url }, method: 'POST' }
    expect((await send(at('/ws/ticket'), byToken({ token }))).status).toBe(201)
    expect((await send(at('/ws/ticket'), byCookie)).status).toBe(201)
    await send(at('/logout'), { method: 'POST', headers: { cookie } })
    expect((await send(at('/ws/ticket'), byToken({ token }))).status).toBe(401)
    expect((await send(at('/ws/ticket'), byCookie)).status).toBe(401)
    expect((await send(at('/ws/ticket'), byToken(other))).status).toBe(201)
  })

  it('is done when there is nothing to end', async () => {
    expect((await send(at('/logout'), { method: 'POST' })).status).toBe(204)
  })

  it.each([{ origin: 'https://evil.example' }, { host: 'evil.example' }])(
    'C07 does not let others sign its user out: %o',
    async (headers) => {
      const { token, cookie } = await signIn(playground)
      expectError(await send(at('/logout'), { method: 'POST', headers: { cookie, ...headers } }), 403)
      const bearer = { authorization: `Bearer ${token}` }
      expect((await send(at('/ws/ticket'), { method: 'POST', headers: bearer })).status).toBe(201)
    },
  )
})

describe('a session', () => {
  it('ends with its time', async () => {
    const { cookie } = await signIn(playground, 'ada', 60)
    const ticket = () => send(at('/ws/ticket'), { method: 'POST', headers: { cookie, origin: playground.url } })
    expect((await ticket()).status).toBe(201)
    clock.forward(61_000)
    expect((await ticket()).status).toBe(401)
  })
})

describe('the other routes', () => {
  it('GET /health answers that it is well', async () => {
    const answer = await send(at('/health'))
    expect([answer.status, answer.body]).toEqual([200, '{"status":"ok","store":"current","draining":false}'])
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  it.each([
    ['/', 'text/html'],
    ['/assets/main.js', 'text/javascript'],
    ['/assets/style.css', 'text/css'],
    ['/assets/favicon.svg', 'image/svg+xml'],
    ['/assets/opaque.html', 'text/html'],
    ['/assets/opaque.js', 'text/javascript'],
  ])('GET %s answers %s', async (path, type) => {
    const answer = await send(at(path))
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toContain(type)
    expect(answer.body.length).toBeGreaterThan(0)
  })

  it.each(['/', '/health', '/assets/main.js', '/connections'])(
    'HEAD %s answers as GET, without a body',
    async (path) => {
      const answer = await send(at(path), { method: 'HEAD' })
      expect([answer.status, answer.body]).toEqual([200, ''])
    },
  )

  it.each([
    '/nowhere',
    '/assets/',
    '/assets/../package.json',
    '/assets/%2e%2e/package.json',
    '/login/',
    '//',
    '/index.html',
  ])('GET %s answers 404 in JSON', async (path) => {
    expectError(await send(playground.url, { path }), 404)
  })

  it.each([
    ['GET', '/login', 'POST'],
    ['HEAD', '/login', 'POST'],
    ['PUT', '/login', 'POST'],
    ['GET', '/logout', 'POST'],
    ['GET', '/logout-everywhere', 'POST'],
    ['GET', '/revoke', 'POST'],
    ['POST', '/health', 'GET, HEAD'],
    ['POST', '/', 'GET, HEAD'],
    ['DELETE', '/connections', 'GET, HEAD'],
  ])('%s %s answers 405 and what is allowed', async (method, path, allow) => {
    const answer = await send(at(path), { method })
    expect([answer.status, answer.headers.allow]).toEqual([405, allow])
  })

  it('GET /ws without an upgrade answers 426', async () => {
    const answer = await send(at('/ws'))
    expect([answer.status, answer.headers.upgrade]).toEqual([426, 'websocket'])
    expect(JSON.parse(answer.body).error).toBe('upgradeRequired')
  })

  it('takes no notice of a query', async () => {
    expect((await send(at('/health?x=1'))).status).toBe(200)
  })
})

describe('headers', () => {
  it.each(['/', '/assets/main.js', '/health', '/nowhere', '/ws/ticket'])(
    '%s says nosniff and no-referrer',
    async (path) => {
      const { headers } = await send(at(path))
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['referrer-policy']).toBe('no-referrer')
    },
  )

  it('the page runs its own files only, and nobody frames it', async () => {
    const policy = String((await send(at('/'))).headers['content-security-policy'])
    const { port } = new URL(playground.url)
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `script-src 'self' http://127.0.0.1:${port} http://localhost:${port}`,
      "style-src 'self'",
      "img-src 'self' data:",
      `connect-src 'self' ws://127.0.0.1:${port} ws://localhost:${port}`,
      "frame-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
    ])
  })

  it('only its own page frames the frame', async () => {
    const policy = (await send(at('/assets/opaque.html'))).headers['content-security-policy']
    expect(policy).toContain("frame-ancestors 'self'")
  })
})
