import { cookie, firstMessage, ticket } from '@sallyport/server'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { cases } from '../../../../packages/client/test/standard/cases.js'
import type { Engine, EngineName } from './engine.js'
import { serveGuarded, verifyGood } from './guarded.js'
import { bundle, remote } from './stage.js'
import type * as trial from './trial.js'

const session = cookie({ name: 'trial', verify: verifyGood })

/** What each route accepts. The class of the browser itself comes in by the cookie. */
const routes = {
  ticket: [ticket(), session],
  cookie: [session],
  message: [firstMessage({ verify: verifyGood })],
}

/** What the own class of an engine does otherwise. */
const differences: Partial<Record<EngineName, Record<string, string>>> = {
  // It counts the head of the frame that it would have sent.
  webkit: { 'bufferedAmount grows with what is sent, and after the end': 'Error: expected 5, found 11' },
}

/** The class of `webSocketClass`, in that browser, beside the browser's own. */
export function standardSuite(name: EngineName, running: () => Engine): void {
  let served: Awaited<ReturnType<typeof serveGuarded>>
  beforeAll(async () => {
    served = await serveGuarded(await bundle('trial'), routes)
  })
  afterAll(() => served.close())

  it.each([
    ['native', 'cookie'],
    ['ticket', 'ticket'],
    ['cookie', 'cookie'],
    ['message', 'message'],
  ])('%s does as the standard says', async (way, route) => {
    const tab = await running().open(served.url)
    const results = await remote<typeof trial>(tab, 'trial').ask(way, `ws://127.0.0.1:${served.port}/${route}/ws`)
    const wrong = way === 'native' ? differences[name] : undefined
    expect(results).toEqual(cases.map((asked) => [asked.name, wrong?.[asked.name] ?? null]))
  })
}
