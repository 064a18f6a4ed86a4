import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Playground } from '../../src/playground.js'
import { watch } from '../support/live.js'
import type { Engine, Tab } from './engine.js'
import type * as hook from './hook.js'
import { bundle, type Remote, remote, startWith } from './stage.js'

/** `useGuardedSocket`, in a React application in that browser. */
export function hookSuite(running: () => Engine): void {
  let playground: Playground
  let tab: Tab
  let page: Remote<typeof hook>
  beforeAll(async () => {
    playground = await startWith(await bundle('hook'))
    tab = await running().open(playground.url)
    page = remote(tab, 'hook')
  })
  afterAll(() => playground.close())

  const shows = (text: string) => expect.poll(() => page.text(), { timeout: 10_000 }).toBe(text)
  const signIn = (user: string) =>
    tab.run(`fetch('/login', {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"user":"${user}"}',
    }).then(() => {})`)
  /** Who is inside by now. */
  async function inside(): Promise<string[]> {
    const table = await watch(playground.url)
    const { connections } = await table.until(() => true)
    table.close()
    return connections.map(({ user }) => user)
  }

  it('makes one connection in strict mode, and keeps it when the component is edited', async () => {
    await signIn('ada')
    await page.show('ada')
    await shows('This is ada: open')
    await page.edit()
    await shows('That is ada: open')
    await page.say('hello')
    await expect.poll(async () => (await page.seen()).heard.at(-1)).toBe('{"type":"echo","data":"hello"}')
    expect((await page.seen()).made).toBe(1)
    expect(await inside()).toEqual(['ada'])
  })

  it('makes another for another account, and closes that of before', async () => {
    await signIn('eve')
    await page.show('eve')
    await shows('That is eve: open')
    const { made, sent } = await page.seen()
    expect(made).toBe(2)
    // Strict mode runs the child's effects again, when the socket is there.
    expect(sent).toEqual(['ada: hello', 'eve: Here comes eve', 'eve: I am eve'])
    await expect.poll(inside).toEqual(['eve'])
  })

  it('shows why it gave up, and comes again when it is told to', async () => {
    await tab.run(`fetch('/logout', { method: 'POST' }).then(() => {})`)
    await shows('That is eve: closed (revoked)')
    await signIn('eve')
    await page.reset()
    await shows('That is eve: open')
    expect((await page.seen()).made).toBe(2)
  })

  it('closes with its component, and is no more when that is over', async () => {
    await page.hide()
    await expect.poll(inside).toEqual([])
    await page.say('to nobody')
  })
}
