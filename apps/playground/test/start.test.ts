import type { ChildProcess } from 'node:child_process'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { launch } from './support/browser.js'
import { temporaryDirectory } from './support/page.js'
import { readPage, runServer } from './support/snippets.js'

// The five minutes of docs/start.md, with its server as it stands there.

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let server: ChildProcess
let browser: Browser

beforeAll(async () => {
  directory = await temporaryDirectory()
  const { snippets } = await readPage('docs/start.md')
  const running = await runServer(snippets[0] ?? '', directory.path)
  server = running.server
  browser = await launch(`--host-resolver-rules=${running.place}`)
})

afterAll(async () => {
  await browser?.close()
  server?.kill()
  await directory.remove()
})

it('the page of the first five minutes shows what its table says', async () => {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    await page.goto('http://localhost:8080')
    const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
    const shown = page.locator('pre')
    const says = (text: string) => page.locator('pre', { hasText: text }).waitFor()
    const signIn = page.waitForResponse('**/sign-in')
    await press('Connect')
    await says('4001 Authentication failed')
    await press('Sign in')
    await signIn
    await press('Connect')
    await says('hello ada')
    await press('Sign out')
    await says('4010 Revoked')
    await press('Connect')
    await expect.poll(async () => (await shown.textContent())?.match(/4001/g)).toHaveLength(2)
  } finally {
    await context.close()
  }
})
