import { firstMessage, type GuardedSocketOptions, type RenewalOptions, renewal, ticket } from '@sallyport/client'
import { codes, encodeFrame } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { brokenOff, fakeFetch, refused, settled, start } from './fakes.js'

/** The answer of a renew endpoint. */
const granted = (expiresIn?: number) => () => Response.json({ expiresIn })

/** An open socket with a renew endpoint that answers from a script. */
async function renewing(
  answers: (() => Response | Promise<Response>)[],
  renew: RenewalOptions = {},
  options: Partial<GuardedSocketOptions> = {},
) {
  const { fetch, requests } = fakeFetch(...answers)
  const started = start({ fetch, renew: renewal('/ws/renew', renew), ...options })
  await started.open()
  return { ...started, requests }
}

/** A token function, and the reasons it was called for. */
function tokens() {
  const reasons: string[] = []
  const token = ({ reason }: { reason: string }) => {
    reasons.push(reason)
    return `t${reasons.length}`
  }
  return { token, reasons }
}

describe('renewal over HTTP', () => {
  it('asks at once how long the credential lives, and then renews it in time', async () => {
    const { token, reasons } = tokens()
    const { clock, requests, sockets, events } = await renewing([granted(100), granted(1_000)], { token })
    expect(requests).toHaveLength(1)
    await clock.advance(89_999)
    expect(requests).toHaveLength(1)
    await clock.advance(1)
    expect(requests).toHaveLength(2)
    await clock.advance(899_999)
    expect(requests).toHaveLength(2)
    await clock.advance(1)
    expect(requests).toHaveLength(3)
    expect(reasons).toEqual(['first', 'renewal', 'renewal'])
    expect([sockets.length, events.types()]).toEqual([1, ['authenticated', 'open']])
  })

  it('saves the first request when it is told how long a credential lives', async () => {
    const { token, reasons } = tokens()
    const { clock, requests } = await renewing([granted(1_000)], { token, expiresIn: 100 })
    await clock.advance(89_999)
    expect(requests).toHaveLength(0)
    await clock.advance(1)
    expect(requests).toHaveLength(1)
    expect(reasons).toEqual(['renewal'])
  })

  it('does not take what it was told for what the server said', async () => {
    const { clock, sockets } = await renewing([refused(503)], { expiresIn: 100 })
    await clock.advance(600_000)
    expect(sockets).toHaveLength(1)
  })

  it('posts to the endpoint on the socket’s own host, with the token and without cookies', async () => {
    const { requests } = await renewing([granted(100)], { token: () => 'access' })
    expect(requests).toMatchObject([
      {
        url: 'https://api.example.com/ws/renew',
        init: { method: 'POST', credentials: 'omit', headers: { authorization: 'Bearer access' } },
      },
    ])
  })

  it('posts with the browser’s cookies when it has no token', async () => {
    const { requests } = await renewing([granted(100)])
    expect(requests[0]?.init).toMatchObject({ method: 'POST', credentials: 'include' })
    expect(requests[0]?.init.headers).toEqual({})
  })

  it('knows from `auth_ok` how long the credential of a first message lives', async () => {
    const { current, clock, requests } = await renewing(
      [granted(1_000)],
      { expiresIn: 5 },
      { credential: firstMessage(() => 'secret') },
    )
    current().receive(encodeFrame({ type: 'auth_ok', userId: 'ada', connection: 'c1', expiresIn: 100 }))
    await clock.advance(89_999)
    expect(requests).toHaveLength(0)
    await clock.advance(1)
    expect(requests).toHaveLength(1)
  })

  it('is done when the credential has no end', async () => {
    const { clock, requests } = await renewing([granted()])
    await clock.advance(600_000)
    expect([requests.length, clock.pending]).toEqual([1, 0])
  })

  it('refuses a bare string for a token', () => {
    expect(() => renewal('/ws/renew', { token: 'secret' as never })).toThrow('Pass a function')
  })
})

describe('a renewal over HTTP that fails', () => {
  it('with 401 is tried once more, with `rejected`, and then the connection lives on to its end', async () => {
    const { token, reasons } = tokens()
    const { clock, requests, socket, current, events } = await renewing([refused(401)], { token, expiresIn: 100 })
    await clock.advance(600_000)
    expect(reasons).toEqual(['renewal', 'rejected'])
    expect([requests.length, socket.readyState]).toEqual([2, 1])
    current().end(codes.expired.close)
    expect(events.last('reconnecting')).toMatchObject({ outcome: { kind: 'expired' }, delayMs: 0 })
  })

  it.each([
    [403, true],
    [401, false],
    [404, false],
    [503, false],
  ])('with %i stops the socket: %s', async (status, stops) => {
    const { clock, sockets, events } = await renewing([refused(status)])
    await clock.advance(60_000)
    expect(sockets).toHaveLength(1)
    expect(sockets[0]?.closedWith !== undefined).toBe(stops)
    if (stops) expect(events.last('terminal')).toMatchObject({ outcome: { kind: 'forbidden', status } })
    else expect(events.count('terminal')).toBe(0)
  })

  it('with 503 waits as long as Retry-After says', async () => {
    const { clock, requests } = await renewing([refused(503, { 'retry-after': '20' }), granted(100)])
    await clock.advance(20_499)
    expect(requests).toHaveLength(1)
    await clock.advance(1)
    expect(requests).toHaveLength(2)
  })

  it.each<[string, () => Response | Promise<Response>]>([
    ['no network', () => Promise.reject(new TypeError('Failed to fetch'))],
    ['a body that breaks off', brokenOff(200)],
    ['500', refused(500)],
  ])('with %s backs off and is tried again', async (_what, answer) => {
    const { clock, requests, socket } = await renewing([answer, answer, granted(100)])
    await clock.advance(1_000)
    expect(requests).toHaveLength(2)
    await clock.advance(1_000)
    expect(requests).toHaveLength(3)
    await clock.advance(80_000)
    expect([requests.length, socket.readyState]).toEqual([3, 1])
  })

  it.each<[string, () => Response | Promise<Response>]>([
    ['200 without JSON', () => new Response('well')],
    ['200 with null', () => Response.json(null)],
    ['200 with text for a number', () => Response.json({ expiresIn: '100' })],
    ['200 with less than nothing', () => Response.json({ expiresIn: -1 })],
    ['201', () => Response.json({ expiresIn: 100 }, { status: 201 })],
    ['a redirect', refused(302)],
  ])('with %s is in vain, and the credential stays good until its end', async (_what, answer) => {
    const { clock, requests, socket, events } = await renewing([answer])
    await clock.advance(600_000)
    expect([requests.length, socket.readyState, events.count('terminal')]).toEqual([1, 1, 0])
  })

  it('K08 is discarded with its connection: request, answer and plan', async () => {
    let answer = (_response: Response) => {}
    const pending = () => new Promise<Response>((resolve) => (answer = resolve))
    const { socket, clock, open, requests } = await renewing([pending, granted(100)])
    expect(requests[0]?.init.signal?.aborted).toBe(false)
    socket.reset()
    expect(requests[0]?.init.signal?.aborted).toBe(true)
    await open()
    expect(requests).toHaveLength(2)
    answer(Response.json({ expiresIn: 10 }))
    await clock.advance(89_999)
    expect(requests).toHaveLength(2)
    await clock.advance(1)
    expect(requests).toHaveLength(3)
  })

  it('K08 does not ask on behalf of the old account after reset()', async () => {
    const { socket, clock, requests } = await renewing([granted(100)])
    socket.reset()
    await clock.advance(600_000)
    expect(requests).toHaveLength(1)
  })
})

describe('K08 a socket that the application is closing', () => {
  it('K08 asks for no token until the server has answered the Close, nor after it', async () => {
    const { token, reasons } = tokens()
    const { socket, clock, current, requests } = await renewing([granted(1_000)], { token, expiresIn: 100 })
    socket.close()
    await clock.advance(600_000)
    expect(socket.readyState).toBe(2)
    current().end(1000)
    await clock.advance(600_000)
    expect([socket.readyState, reasons, requests.length, clock.pending]).toEqual([3, [], 0, 0])
  })

  it('K08 asks for none when it was closed as it opened', async () => {
    const { token, reasons } = tokens()
    const { fetch, requests } = fakeFetch(granted(100))
    const { socket, open, clock } = start({ fetch, renew: renewal('/ws/renew', { token }) })
    socket.addEventListener('open', () => socket.close())
    await open()
    await clock.advance(60_000)
    expect([socket.readyState, reasons, requests.length]).toEqual([2, [], 0])
  })
})

describe('the endpoint', () => {
  it('K01 K02 is not followed elsewhere, nor asked in the clear', async () => {
    const { requests } = await renewing([granted(100)], { token: () => 'secret' })
    expect(requests[0]?.init.redirect).toBe('manual')
    const renew = renewal('http://api.example.com/renew')
    expect(() => start({ renew })).toThrow('Use wss:')
    expect(() => start({ renew, dangerouslyAllowPlaintext: true, fetch: fakeFetch().fetch })).not.toThrow()
    expect(() => start({ renew: renewal('https://api.example.com/renew'), fetch: fakeFetch().fetch })).not.toThrow()
  })

  it('K13 sees the token in the header alone, and nothing that is told has it', async () => {
    const { events, requests } = await renewing(
      [refused(403)],
      { token: () => 'SECRET' },
      { credential: ticket(() => 't') },
    )
    await settled()
    const { outcome, error } = { ...events.last('terminal'), ...events.last('error') }
    const text = JSON.stringify([outcome, error], (_key, value) =>
      value instanceof Error ? [value.message, value.stack, value.cause] : value,
    )
    expect(text).toContain('403')
    expect(text).not.toContain('SECRET')
    expect(JSON.stringify({ ...requests[0]?.init, headers: undefined })).not.toContain('SECRET')
  })
})
