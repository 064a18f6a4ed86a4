import { utimes } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Engine, type EngineName, engines, type Tab } from '../../apps/playground/test/engines/engine.js'
import { type Example, startExample } from './example.js'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

/** The examples that are a page. */
const pages = ['react', 'vue', 'svelte'] as const

const examples = new Map<string, Example>()
beforeAll(async () => {
  const start = async (name: string) =>
    examples.set(name, await startExample(name, { VITE_CACHE_DIR: 'node_modules/.vite-test' }))
  await Promise.all(pages.map(start))
})
afterAll(() => Promise.all([...examples.values()].map((example) => example.stop())))

/** What runs in the page beside it: it keeps the sockets, what the renew route answers, and what goes wrong. */
const beside = `(() => {
  globalThis.wrong = []
  for (const type of ['error', 'unhandledrejection'])
    addEventListener(type, (event) => wrong.push(type + ' ' + (event.message || event.reason)))
  globalThis.sockets = []
  globalThis.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args)
      // Vite has one of its own.
      if (new URL(this.url).pathname === '/ws') sockets.push(this)
      this.addEventListener('close', ({ code }) => (this.code = code))
    }
  }
  globalThis.granted = []
  const { fetch } = globalThis
  globalThis.fetch = async (url, ...args) => {
    const answer = await fetch(url, ...args)
    if (String(url).endsWith('/renew')) granted.push((await answer.clone().json()).expiresIn)
    return answer
  }
})()`

/** Its time passes faster from here on. The server's does not. */
const faster = (speed: number) => `(() => {
  const { setTimeout: after } = globalThis
  globalThis.setTimeout = (callback, ms, ...args) => after(callback, ms / ${speed}, ...args)
  const now = Date.now.bind(Date)
  const began = now()
  Date.now = () => began + (now() - began) * ${speed}
})()`

/** What a hand does on a page, and what an eye sees there. */
function visitor(tab: Tab) {
  const reads = (selector: string, wanted: RegExp) =>
    vi.waitFor(
      async () => {
        const text = await tab.run<string>(`document.querySelector('${selector}')?.textContent.trim() ?? 'nothing'`)
        expect(text, selector).toMatch(wanted)
      },
      { timeout: 20_000 },
    )
  const type = async (name: string, text: string) => {
    await tab.run(`document.querySelector('[name=${name}]').value = ''`)
    await tab.type(`[name=${name}]`, text)
  }
  const post = (path: string, body: object) =>
    tab.run(`fetch('${path}', {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: '${JSON.stringify(body)}',
    }).then(() => {})`)
  return {
    reads,
    /** The sockets that the page has made since it was loaded: the code of their Close, or that they are open. */
    sockets: () => tab.run<unknown[]>("sockets.map(({ readyState, code }) => (readyState === 1 ? 'open' : code))"),
    /** How many modules were put in the place of others. */
    updates: () =>
      tab.run<number>(`performance.getEntriesByType('resource').filter(({ name }) => name.includes('?t=')).length`),
    async signIn(user: string, seconds = 3600) {
      await reads('form button', /^Sign in$/)
      await type('user', user)
      await type('seconds', `${seconds}`)
      await tab.click('form button')
    },
    async say(line: string) {
      await type('line', line)
      await tab.click('form button')
    },
    /** As another tab would. */
    signInElsewhere: (user: string, expiresIn = 3600) => post('/login', { user, expiresIn }),
    signOutElsewhere: () => post('/logout', {}),
  }
}

// In an engine one after the other: to its cookies they are one host.
describe.concurrent.each(Object.keys(engines) as EngineName[])('in %s', (engineName) => {
  let engine: Engine
  beforeAll(async () => {
    engine = await engines[engineName]()
  })
  afterAll(() => engine.close())

  describe.sequential.each(pages)('the page of the example %s', (name) => {
    let tab: Tab
    let on: ReturnType<typeof visitor>
    beforeAll(async () => {
      tab = await engine.open(examples.get(name)!.origin)
      await tab.run(beside)
      on = visitor(tab)
    })

    it('comes in with one connection, says a line, and hears it', async () => {
      await on.signIn('ada')
      await on.reads('output', /^open$/)
      await on.reads('[role=log]', /"userId":"ada","method":"ticket"/)
      await on.say('Good evening')
      await on.reads('[role=log]', /"data":"Good evening"/)
      // React mounts twice here: it is in strict mode.
      expect(await on.sockets()).toEqual(['open'])
    })

    if (name === 'react')
      it('keeps its connection when the component is saved', async () => {
        const before = await on.updates()
        await utimes(fileURLToPath(new URL('../react/Chat.tsx', import.meta.url)), new Date(), new Date())
        await vi.waitFor(async () => expect(await on.updates()).toBeGreaterThan(before), { timeout: 20_000 })
        await on.say('Still here')
        await on.reads('[role=log]', /"data":"Good evening"[\s\S]*"data":"Still here"/)
        expect(await on.sockets()).toEqual(['open'])
      })

    it('shows that it was revoked, and comes again when it is told to', async () => {
      await on.signOutElsewhere()
      await on.reads('output', /^closed \(revoked\)$/)
      await on.signInElsewhere('ada')
      await tab.click('[role=log] + button')
      await on.reads('output', /^open$/)
      expect(await on.sockets()).toEqual([4010, 'open'])
    })

    it('signs out, and closes its connection', async () => {
      await tab.click('.row button')
      await on.reads('form button', /^Sign in$/)
      await vi.waitFor(async () => expect(await on.sockets()).toEqual([4010, expect.any(Number)]))
    })

    it('renews its connection when its session is prolonged', async () => {
      await tab.run(faster(4))
      await on.signIn('ada', 5)
      await on.reads('output', /^open$/)
      await on.signInElsewhere('ada', 3600)
      await vi.waitFor(async () => expect(await tab.run('granted.at(-1)')).toBeGreaterThan(5), { timeout: 20_000 })
      expect((await on.sockets()).slice(2)).toEqual(['open'])
    })

    it('is no wider than its window, and nothing went wrong in it', async () => {
      expect(await tab.run('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
      expect(await tab.run('wrong')).toEqual([])
    })
  })

  // All at once: it takes some seconds.
  it.sequential('every page shows that its session has ended', async () => {
    const visitors: ReturnType<typeof visitor>[] = []
    for (const { origin } of examples.values()) {
      const tab = await engine.open(origin)
      await tab.run(beside)
      const on = visitor(tab)
      await on.signIn('ada', 2)
      await on.reads('output', /^open$/)
      visitors.push(on)
    }
    const ends = async (on: ReturnType<typeof visitor>) => {
      await on.reads('output', /^closed \(unauthenticated\)$/)
      expect(await on.sockets()).toEqual([4019])
    }
    await Promise.all(visitors.map(ends))
  })
})
