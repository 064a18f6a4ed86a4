import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import type { Playground } from '../../src/playground.js'
import { start } from './playground.js'

/** Starts Chromium: the one that `CHROMIUM_PATH` names, or else the system's. */
export function launch(...args: string[]): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_PATH || '/usr/bin/chromium'
  if (!existsSync(executablePath)) {
    throw new Error(`There is no Chromium at ${executablePath}: install one, or name yours in CHROMIUM_PATH`)
  }
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', ...args],
  })
}

// Chromium reports each refused handshake, and a server that is gone, or goes meanwhile. Violations of the content security
// policy are others.
const expected = /^WebSocket connection|net::ERR_(CONNECTION_(REFUSED|RESET)|INCOMPLETE_CHUNKED_ENCODING)/

/** What a test does on a page. */
export type Visit = (page: Page) => Promise<void>

/** Starts a playground and a browser for the tests of a file, and closes them after the last. */
export function stage() {
  let playground: Playground
  let browser: Browser
  beforeAll(async () => {
    ;[playground, browser] = await Promise.all([start(), launch()])
  })
  afterAll(async () => {
    await browser.close()
    await playground.close()
  })
  const withPageAt = (url: string, visit: Visit, options?: BrowserContextOptions) =>
    openPage(browser, url, visit, options)
  return {
    /** Visits the playground. */
    withPage: (visit: Visit, options?: BrowserContextOptions) => withPageAt(playground.url, visit, options),
    /** Visits another. */
    withPageAt,
  }
}

/** Opens `url` in a browser profile of its own and hands the page to `visit`; fails on any error of the page. */
async function openPage(browser: Browser, url: string, visit: Visit, options?: BrowserContextOptions): Promise<void> {
  const context = await browser.newContext(options)
  try {
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error' && !expected.test(message.text())) errors.push(message.text())
    })
    await page.goto(url)
    await visit(page)
    expect(errors).toEqual([])
  } finally {
    await context.close()
  }
}

/** Signs in, and returns once the page says so. */
export async function signInOn(page: Page, user = 'ada'): Promise<void> {
  await page.getByLabel('Your name').fill(user)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText(`You are ${user}`).waitFor()
}

/** The card of that title. */
export const card = (page: Page, title: string): Locator => page.getByRole('article', { name: new RegExp(`^${title}`) })

/** Connects on a card and waits for the inner door. */
export async function connectOn(on: Locator): Promise<void> {
  await on.getByRole('button', { name: 'Connect', exact: true }).click()
  await on.getByText('Inside as').waitFor()
}
