import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { Playground } from '../../src/playground.js'
import { start } from '../support/playground.js'
import type { Engine, Tab } from './engine.js'

/** What a hand does on the page, and what an eye sees there. */
function visitor(tab: Tab) {
  const text = (selector: string) => tab.run<string>(`document.querySelector(${JSON.stringify(selector)}).textContent`)
  return {
    text,
    reads: (selector: string, wanted: string | RegExp, timeout = 10_000) =>
      expect.poll(() => text(selector), { timeout, message: selector }).toMatch(wanted),
    async signIn(user: string): Promise<void> {
      await tab.run(`document.querySelector('#user').value = ''`)
      await tab.type('#user', user)
      await tab.click('#sign-in button')
      await this.reads('#who', user)
    },
    async connect(card: string): Promise<void> {
      await tab.click(`${card} [data-do=connect]`)
      await this.reads(`${card} .state`, 'Inside as')
    },
  }
}

/** The page of the playground, in that browser. */
export function pageSuite(running: () => Engine): void {
  let playground: Playground
  let tab: Tab
  let on: ReturnType<typeof visitor>

  /** From here on the page keeps what goes wrong in it, a violation of its content security policy among that. */
  const watchErrors = () =>
    tab.run(`(() => {
      globalThis.wrong = []
      for (const type of ['error', 'unhandledrejection', 'securitypolicyviolation'])
        addEventListener(type, (event) => wrong.push(type + ' ' + (event.message || event.reason || event.blockedURI)))
    })()`)

  beforeAll(async () => {
    playground = await start()
    tab = await running().open(playground.url)
    on = visitor(tab)
    await watchErrors()
  })
  afterEach(async () => expect(await tab.run('globalThis.wrong ?? []')).toEqual([]))
  afterAll(() => playground.close())

  it('signs in', () => on.signIn('ada'))

  it.each(['ticket', 'message', 'cookie', 'query', 'subprotocol', 'client'])(
    'the card %s: comes in, says a line, leaves',
    async (way) => {
      const card = `[data-way=${way}]`
      await on.connect(card)
      await on.reads('#connections', 'ada')
      await tab.type(`${card} .say input`, 'Good evening')
      await tab.click(`${card} .say button`)
      await on.reads(`${card} [role=log]`, '{"type":"echo","data":"Good evening"}')
      await tab.click(`${card} [data-do=disconnect]`)
      await on.reads(`${card} .state`, 'Outside again')
    },
  )

  it('every attack is held', { timeout: 120_000 }, async () => {
    const attacks = await tab.run<Record<string, number>>(`Object.fromEntries(
      [...document.querySelectorAll('[data-way]')].map((card) => [card.dataset.way, card.querySelectorAll('.attack').length])
    )`)
    expect(Object.values(attacks).reduce((sum, count) => sum + count)).toBe(16)
    // A card does one thing at a time.
    const judged = Object.entries(attacks).map(async ([way, count]) => {
      const verdicts: string[] = []
      for (let nth = 1; nth <= count; nth++) {
        const row = `[data-way=${way}] .attack:nth-of-type(${nth})`
        // Not by hand: what the others show meanwhile moves it away.
        await tab.run(`document.querySelector('${row} button').click()`)
        await on.reads(`${row} .verdict`, /./, 60_000)
        verdicts.push(`${await on.text(`${row} .verdict`)}: ${way}, ${await on.text(`${row} h4`)}`)
      }
      return verdicts
    })
    const verdicts = (await Promise.all(judged)).flat()
    expect(verdicts.filter((verdict) => !verdict.startsWith('held'))).toEqual([])
  })

  it('signing out shows on every card, and the page remembers nobody', async () => {
    const cards = ['ticket', 'message', 'cookie', 'subprotocol', 'client'].map((way) => `[data-way=${way}]`)
    for (const card of cards) await on.connect(card)
    await tab.reload()
    await on.reads('#who', 'ada')
    await watchErrors()
    for (const card of cards) await on.connect(card)
    await tab.click('#sign-out')
    for (const card of cards) await on.reads(`${card} .state`, 'Outside again')
    await on.reads('[data-way=client] [role=log]', 'terminal: revoked')
    await tab.reload()
    await expect.poll(() => tab.run('document.querySelector("#sign-in")?.checkVisibility()')).toBe(true)
  })

  it('nothing of it is wider than the window', async () => {
    expect(await tab.run('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
  })
}
