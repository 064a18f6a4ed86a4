import { createGuard, createRoutes, rejected } from '@sallyport/server'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testClock } from '../support/clock.js'
import { deferred, nextTurn } from '../support/deferred.js'
import { allMethods, origin } from '../support/guard.js'
import { RawClient } from '../support/raw.js'
import { startServer } from '../support/server.js'
import { addresses, credentials, damagedText, fuzz, MoodyVerifier, moods, mostly, share, timeFor } from './inputs.js'

/** A body whose sender goes away in the middle of it. */
const brokenOff = (start: string) =>
  new ReadableStream({
    start: (controller) => controller.enqueue(Buffer.from(start)),
    pull: (controller) => controller.error(new Error('aborted')),
  })

const bodyTexts = fc.oneof(
  fc.constantFrom(
    '',
    '{"connection":"x"}',
    '{"connection":""}',
    '{"connection":1}',
    '{"connection":"__proto__"}',
    'logout_token=good-ada',
    'logout_token=bad&logout_token=good-ada',
    'logout_token=%',
    '['.repeat(16_000),
    ' '.repeat(16_385),
    'x'.repeat(70_000),
  ),
  fc.json(),
  fc.string({ unit: 'binary' }),
)
const bodies = damagedText(bodyTexts).chain((text) =>
  mostly<() => BodyInit>(
    () => text,
    () => brokenOff(text),
  ),
)

const headers = fc.record({
  authorization: fc.option(damagedText(credentials.map((credential) => `Bearer ${credential}`)), { nil: undefined }),
  cookie: fc.option(damagedText(credentials.map((credential) => `session=${credential}`)), { nil: undefined }),
  origin: mostly<string | undefined>(origin, undefined, 'https://evil.example', 'null'),
})

const requests = fc.record({
  method: mostly('POST', 'GET', 'OPTIONS', 'PUT', 'HEAD'),
  path: damagedText(fc.constantFrom('/ws/ticket', '/ws/renew', '/ws/backchannel-logout', '/ws/ticket?token=good-ada')),
  headers,
  body: bodies,
  address: addresses,
  mood: moods,
})

describe('the routes', () => {
  const inputs = share(1 / 10)

  it(`in process, answer each of ${inputs} requests, and well only with a good credential`, {
    timeout: timeFor(inputs),
  }, async () => {
    const clock = testClock()
    const verifier = new MoodyVerifier()
    const options = allMethods(verifier.verify)
    const guard = createGuard({ ...options, limits: { failedAttempts: 1_000 }, clock })
    const routes = createRoutes(guard, {
      path: '/ws',
      logoutToken: async (token, now) => {
        verifier.asked.push(token)
        return token.startsWith('good-')
          ? { issuer: 'https://id.example.com', user: token.slice(5), at: now }
          : rejected('credential-unknown')
      },
    })
    guard.subscribe(() => {})
    const statuses = new Map<number, number>()
    await fuzz(requests, inputs, async ({ method, path, headers, body, address, mood }) => {
      verifier.reset(mood)
      const request = readRequest(path, method, headers, body)
      if (!request) return
      const answering = routes.fetch(request, address)
      if (mood === 'silent') {
        // A body is read in several turns of the event loop.
        for (let i = 0; i < 10; i++) await nextTurn()
        clock.advance(5_000)
      }
      const response = await answering
      clock.advance(60_000)
      expect(clock.pending).toBe(0)
      expect(verifier.asked.length).toBeLessThanOrEqual(1)
      if (!response) return
      const { status } = response
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status === 204) return
      if (status < 300) expect(verifier.asked[0]).toMatch(/^good-/)
      if (mood !== 'broken') expect(status).not.toBe(500)
      expect(response.headers.get('cache-control')).toBe('no-store')
      const text = await response.text()
      expect(text).not.toContain('good-')
      if (status >= 400) expect(JSON.parse(text)).toEqual({ error: expect.any(String), message: expect.any(String) })
    })
    // The rare ones need more inputs than a short run has.
    const rare = inputs < 50_000 ? [] : [200, 404]
    for (const status of [201, 204, 400, 401, 403, 405, 413, ...rare]) {
      expect(statuses.get(status), String(status)).toBeGreaterThan(0)
    }
  })

  // What an adapter does not await ends the process, so a caller of `node` must never see it reject.
  it.each(['renew', 'backchannel-logout'])(
    'survive a client that goes away in the middle of its body: %s',
    async (route) => {
      const logoutToken = async () => rejected('credential-unknown')
      const routes = createRoutes(createGuard(allMethods()), { path: '/ws', logoutToken })
      const { server, port } = await startServer(createGuard(allMethods()))
      server.removeAllListeners('request')
      const begun = deferred<Promise<boolean>[]>()
      server.on('request', (request, response) => {
        const answered = routes.node(request, response)
        request.once('data', () => begun.resolve([answered]))
      })
      const client = await RawClient.connect(port)
      client.write(`POST /ws/${route} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"conn`)
      const [answered] = await begun.promise
      client.socket.resetAndDestroy()
      await expect(answered).resolves.toBe(true)
    },
  )
})

/** The request, unless it is one that no client of HTTP could make. */
function readRequest(
  path: string,
  method: string,
  headers: Readonly<Record<string, string | undefined>>,
  body: () => BodyInit,
): Request | undefined {
  const lines = Object.entries(headers).filter((line): line is [string, string] => line[1] !== undefined)
  const hasBody = method !== 'GET' && method !== 'HEAD'
  try {
    const init = { method, headers: lines, ...(hasBody && { body: body(), duplex: 'half' }) }
    return new Request(new URL(path, 'http://test'), init)
  } catch {
    return undefined
  }
}
