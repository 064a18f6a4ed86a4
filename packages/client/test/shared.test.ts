import { type Attempt, type SharedOptions, shared, type TokenSource, ticket } from '@sallyport/client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeLocks } from './fake-locks.js'
import { FakeClock, fakeFetch, issued, settled, start } from './fakes.js'

afterEach(() => vi.unstubAllGlobals())

const attempt = (signal = new AbortController().signal): Attempt => ({ reason: 'rejected', signal })

/** A login whose refresh token works once, and what the tabs have stored of it. */
function rotatingLogin() {
  const login = { stored: 'old', refreshes: 0, atOnce: 0, reused: false }
  let underWay = 0
  const refresh = async () => {
    login.reused ||= underWay > 0
    login.atOnce = Math.max(login.atOnce, ++underWay)
    const number = ++login.refreshes
    await settled()
    underWay--
    login.stored = `fresh${number}`
    return login.stored
  }
  /** As an application does it: what another tab has stored will do, unless it is what was just rejected. */
  const source: TokenSource = ({ refreshedElsewhere }) =>
    refreshedElsewhere && login.stored !== 'old' ? login.stored : refresh()
  return { login, refresh, source }
}

/** Several tabs of one origin that ask the same source. */
function openTabs(count: number, source: TokenSource, options: Partial<SharedOptions> = {}) {
  const clock = new FakeClock()
  const origin = new FakeLocks()
  const tabs = Array.from({ length: count }, () => {
    const { locks, crash } = origin.tab()
    return { ask: shared(source, { name: 'login', locks, clock, ...options }), crash }
  })
  return { clock, origin, tabs }
}

describe('K06 tabs that refresh at once', () => {
  it('K06 refresh once', async () => {
    const { login, source } = rotatingLogin()
    const { tabs } = openTabs(5, source)
    const answers = await Promise.all(tabs.map(({ ask }) => ask(attempt())))
    expect(answers).toEqual(Array(5).fill('fresh1'))
    expect(login).toMatchObject({ refreshes: 1, atOnce: 1, reused: false })
  })

  it('K06 would refresh five times and at once without it', async () => {
    const { login, source } = rotatingLogin()
    await Promise.all(Array.from({ length: 5 }, () => source(attempt())))
    expect(login).toMatchObject({ refreshes: 5, atOnce: 5, reused: true })
  })

  it('K06 are told whether another one held the lock until now', async () => {
    const told: unknown[] = []
    const { tabs } = openTabs(3, ({ refreshedElsewhere, reason }) => {
      told.push([refreshedElsewhere, reason])
      return 'token'
    })
    await Promise.all(tabs.map(({ ask }) => ask(attempt())))
    expect(told).toEqual([
      [false, 'rejected'],
      [true, 'rejected'],
      [true, 'rejected'],
    ])
    await tabs[0]?.ask(attempt())
    expect(told.at(-1)).toEqual([false, 'rejected'])
  })

  it('K06 recover at once when the leader crashes', async () => {
    const { login, source } = rotatingLogin()
    let leading = true
    const { tabs } = openTabs(5, (asked) => {
      if (!leading) return source(asked)
      leading = false
      return new Promise<string>(() => {})
    })
    const [leader, ...others] = tabs
    void leader?.ask(attempt())
    const answers = Promise.all(others.map(({ ask }) => ask(attempt())))
    await settled()
    expect(login.refreshes).toBe(0)
    leader?.crash()
    expect(await answers).toEqual(Array(4).fill('fresh1'))
    expect(login).toMatchObject({ refreshes: 1, reused: false })
  })

  it('K06 recover in 4 s when the leader hangs, one after the other', async () => {
    const { login, source } = rotatingLogin()
    let leading = true
    let wake = (_token: string) => {}
    const { tabs, clock } = openTabs(5, (asked) => {
      if (!leading) return source(asked)
      leading = false
      return new Promise<string>((resolve) => (wake = resolve))
    })
    const [first, ...others] = tabs.map(({ ask }) => ask(attempt()))
    await clock.advance(3_999)
    expect(login.refreshes).toBe(0)
    await clock.advance(1)
    expect(await Promise.all(others)).toEqual(Array(4).fill('fresh1'))
    expect(login).toMatchObject({ refreshes: 1, atOnce: 1 })
    wake('late')
    expect(await first).toBe('late')
    expect(clock.pending).toBe(0)
  })

  it('K06 with other names do not wait for each other', async () => {
    const clock = new FakeClock()
    const origin = new FakeLocks()
    const asked: unknown[] = []
    const source: TokenSource = ({ refreshedElsewhere }) => {
      asked.push(refreshedElsewhere)
      return new Promise<string>(() => {})
    }
    for (const name of ['login', 'other']) void shared(source, { name, locks: origin.tab().locks, clock })(attempt())
    await settled()
    expect(asked).toEqual([false, false])
  })

  it('K06 pass on a failure to nobody but whom it concerns', async () => {
    let calls = 0
    const { tabs } = openTabs(2, () => {
      if (++calls === 1) throw new Error('of the application')
      return 'token'
    })
    const [first, second] = tabs.map(({ ask }) => Promise.resolve(ask(attempt())))
    await expect(first).rejects.toThrow('of the application')
    expect(await second).toBe('token')
  })

  it('K06 stop waiting when the attempt is given up', async () => {
    let calls = 0
    const { tabs } = openTabs(2, () => {
      calls++
      return new Promise<string>(() => {})
    })
    const controller = new AbortController()
    void tabs[0]?.ask(attempt())
    const second = Promise.resolve(tabs[1]?.ask(attempt(controller.signal)))
    await settled()
    controller.abort()
    await expect(second).rejects.toThrow('Aborted')
    expect(calls).toBe(1)
  })

  it.each(['before it asks', 'later'])('K06 give the lock back when the attempt is given up %s', async (when) => {
    const { tabs } = openTabs(2, ({ refreshedElsewhere }) =>
      refreshedElsewhere ? 'token' : new Promise<string>(() => {}),
    )
    const controller = new AbortController()
    if (when === 'before it asks') controller.abort()
    void tabs[0]?.ask(attempt(controller.signal))
    const second = tabs[1]?.ask(attempt())
    await settled()
    controller.abort()
    expect(await second).toBe('token')
  })
})

describe('without Web Locks', () => {
  const options = { name: 'login', clock: new FakeClock() }
  // Node.js has them since 24.5.
  beforeEach(() => void vi.stubGlobal('navigator', undefined))

  it('the sockets of one tab take turns', async () => {
    const { login, source } = rotatingLogin()
    // One wrapper for each socket, or one for all: the name counts.
    const answers = await Promise.all(Array.from({ length: 5 }, () => shared(source, options)(attempt())))
    expect(answers).toEqual(Array(5).fill('fresh1'))
    expect(login).toMatchObject({ refreshes: 1, atOnce: 1 })
  })

  it('an attempt that was given up is not asked for any more', async () => {
    let answer = (_token: string) => {}
    const asked: unknown[] = []
    const ask = shared(({ refreshedElsewhere }) => {
      asked.push(refreshedElsewhere)
      return new Promise<string>((resolve) => (answer = resolve))
    }, options)
    const controller = new AbortController()
    const first = ask(attempt())
    const second = Promise.resolve(ask(attempt(controller.signal)))
    await settled()
    controller.abort()
    answer('token')
    expect(await first).toBe('token')
    await expect(second).rejects.toThrow('Given up')
    expect(asked).toEqual([false])
    void ask(attempt())
    await settled()
    expect(asked).toEqual([false, false])
    answer('token')
    await settled()
  })

  it('the runtime’s own are used where there are some', async () => {
    const { locks } = new FakeLocks().tab()
    vi.stubGlobal('navigator', { locks })
    const request = vi.spyOn(locks, 'request')
    expect(await shared(() => 'token', options)(attempt())).toBe('token')
    expect(request).toHaveBeenCalledOnce()
  })

  it('refuses a bare string', () => {
    expect(() => shared('secret' as never, options)).toThrow('Pass a function')
  })
})

describe('K13 between tabs', () => {
  it('K13 no secret goes anywhere: not to the locks, a channel or a storage', async () => {
    const forbidden = vi.fn(() => {
      throw new Error('Not here')
    })
    vi.stubGlobal('BroadcastChannel', forbidden)
    vi.stubGlobal('localStorage', new Proxy({}, { get: forbidden, set: forbidden }))
    vi.stubGlobal('sessionStorage', new Proxy({}, { get: forbidden, set: forbidden }))
    const { tabs, origin } = openTabs(3, async () => 'SECRET')
    expect(await Promise.all(tabs.map(({ ask }) => ask(attempt())))).toEqual(Array(3).fill('SECRET'))
    await settled()
    expect(forbidden).not.toHaveBeenCalled()
    expect(JSON.stringify(origin.said)).not.toContain('SECRET')
    expect(JSON.stringify(origin.said)).toContain('login')
  })
})

describe('K08 when the account changes', () => {
  it('K08 the answer for the old account never serves the new one', async () => {
    let account = 'A'
    const answers: (() => void)[] = []
    const source: TokenSource = () => {
      const token = `of-${account}`
      return new Promise<string>((resolve) => answers.push(() => resolve(token)))
    }
    const clock = new FakeClock()
    const token = shared(source, { name: 'login', locks: new FakeLocks().tab().locks, clock })
    const { fetch, requests } = fakeFetch(issued('t'))
    const { socket, open } = start({ fetch, clock, credential: ticket('/ws/ticket', { token }) })
    await settled()
    account = 'B'
    socket.reset()
    await settled()
    for (const answer of answers) answer()
    await open()
    // With a signal that is aborted, fetch sends nothing.
    const sent = requests.filter(({ init }) => !init.signal?.aborted)
    expect(sent.map(({ init }) => init.headers)).toEqual([{ authorization: 'Bearer of-B' }])
  })
})
