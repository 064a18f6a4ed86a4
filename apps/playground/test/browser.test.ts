import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Playground } from '../src/playground.js'
import { card, connectOn, launch, signInOn, withPage } from './support/browser.js'
import { start } from './support/playground.js'

// A ticket is let grow old, in real time.
const patience = 60_000
vi.setConfig({ testTimeout: patience, hookTimeout: patience })

let playground: Playground
let browser: Browser

beforeAll(async () => {
  ;[playground, browser] = await Promise.all([start(), launch()])
})
afterAll(async () => {
  await browser.close()
  await playground.close()
})

let users = 0

/** Signs a new user in, so that the rows of the table can be told apart. */
const signedIn = (visit: (page: Page, user: string) => Promise<void>) =>
  withPage(browser, playground.url, async (page) => {
    const user = `user-${++users}-`
    await signInOn(page, user)
    await visit(page, user)
  })

const rowsOf = (page: Page, user: string) => page.getByRole('row').filter({ hasText: user })

/** Waits until nobody of that name is inside. */
const gone = (page: Page, user: string) => rowsOf(page, user).first().waitFor({ state: 'detached' })

const ways = [
  ['Ticket', 'ticket'],
  ['First message', 'message'],
  ['Cookie', 'cookie'],
  ['Query token', 'query'],
  ['Subprotocol', 'subprotocol'],
] as const

describe.concurrent('the cards', () => {
  it('F01 a query token ends its connection when it ends itself', async () => {
    await signedIn(async (page) => {
      const on = card(page, 'Query token')
      await connectOn(on)
      await on.getByText(/Close 4019/).waitFor({ timeout: patience })
    })
  })

  it.each(ways)('%s: comes in, says a line, leaves', async (title, method) => {
    await signedIn(async (page, user) => {
      const on = card(page, title)
      const log = on.getByRole('log')
      await connectOn(on)
      await log.getByText(`{"type":"welcome","userId":"${user}","method":"${method}"}`).waitFor()
      await rowsOf(page, user).getByText(method).waitFor()

      await on.getByLabel('Line to send').fill('Good evening')
      await on.getByRole('button', { name: 'Send' }).click()
      await log.getByText('{"type":"echo","data":"Good evening"}').waitFor()

      await on.getByRole('button', { name: 'Disconnect' }).click()
      await on.getByText('Outside again').waitFor()
      await gone(page, user)
    })
  })

  it('the client comes in, says a line, and ends as revoked', async () => {
    await signedIn(async (page) => {
      const on = card(page, 'Or let the client do it')
      await connectOn(on)
      await on.getByLabel('Line to send').fill('Good evening')
      await on.getByLabel('Line to send').press('Enter')
      await on.getByRole('log').getByText('{"type":"echo","data":"Good evening"}').waitFor()
      await page.getByRole('button', { name: 'Sign out' }).click()
      await on.getByText('terminal: revoked').waitFor()
    })
  })

  it.each(['Ticket', 'Or let the client do it'])('%s: coming again leaves by the first connection', async (title) => {
    await signedIn(async (page, user) => {
      const on = card(page, title)
      await connectOn(on)
      const first = await rowsOf(page, user).elementHandle()
      await on.getByRole('button', { name: 'Connect', exact: true }).click()
      await first?.waitForElementState('hidden')
      await on.getByText('Inside as').waitFor()
      await expect.poll(() => rowsOf(page, user).count()).toBe(1)
    })
  })

  it('signing out closes every connection of the session', async () => {
    await signedIn(async (page, user) => {
      const cards = ways.map(([title]) => card(page, title))
      for (const on of cards) await connectOn(on)
      await page.getByRole('button', { name: 'Sign out' }).click()
      for (const on of cards) await on.getByText('Close 4010 Revoked').waitFor()
      await gone(page, user)
    })
  })

  it('asks who is not signed in to do so', async () => {
    await withPage(browser, playground.url, async (page) => {
      await card(page, 'Ticket').getByRole('button', { name: 'Connect', exact: true }).click()
      await page.getByText('Sign in first: any name will do.').waitFor()
      expect(await page.getByLabel('Your name').evaluate((input) => input === document.activeElement)).toBe(true)
    })
  })

  it('J01 shows no credential, anywhere', async () => {
    await withPage(browser, playground.url, async (page) => {
      const bodies: Promise<Record<string, unknown>>[] = []
      page.on('response', (response) => {
        if (response.request().method() === 'POST') bodies.push(response.json())
      })
      await signInOn(page)
      for (const [title] of ways) await connectOn(card(page, title))
      const secrets = (await Promise.all(bodies)).flatMap(({ token, ticket }) => [token, ticket].filter(Boolean))
      expect(secrets).toHaveLength(3)
      const shown = await page.content()
      for (const secret of secrets) expect(shown).not.toContain(secret)
      expect(shown).toContain('eyJh…•••')
    })
  })
})

describe.concurrent('the attacks', () => {
  // The slow ones first, so that the others run meanwhile.
  const attacks = [
    { id: 'C03', title: 'Ticket', attack: 'Come late', did: /Close 4001.*A fresh ticket was let in/ },
    { id: 'E03', title: 'First message', attack: 'Say nothing', did: /Close 4001 “Authentication timeout”/ },
    { id: 'C01', title: 'Ticket', attack: 'Replay a used ticket', did: /Close 4001.*The first use was let in/ },
    { id: 'D02', title: 'Ticket', attack: 'Come from another origin', did: /1006.*403.*from this page was let in/ },
    { id: 'A17', title: 'Ticket', attack: 'Present two credentials', did: /1006.*400.*The ticket alone was let in/ },
    { id: 'E01', title: 'First message', attack: 'Talk before you are let in', did: /Only the line after auth_ok/ },
    { id: 'B04', title: 'First message', attack: 'Forge the signature', did: /Close 4001.*genuine token was let in/ },
    { id: 'D02', title: 'Cookie', attack: 'Come from another origin', did: /1006.*403.*from this page was let in/ },
    {
      id: 'A18',
      title: 'Cookie',
      attack: 'Hide a bad token behind a good cookie',
      did: /Close 4001.*cookie alone was let in/,
    },
    { id: 'B04', title: 'Query token', attack: 'Forge the signature', did: /Close 4001.*genuine token was let in/ },
    {
      id: 'B06',
      title: 'Query token',
      attack: 'Put an hour-long token in the URL',
      did: /Close 4001.*30 seconds was let in/,
    },
    { id: 'B04', title: 'Subprotocol', attack: 'Forge the signature', did: /Close 4001.*genuine token was let in/ },
    {
      id: 'A17',
      title: 'Subprotocol',
      attack: 'Present two credentials',
      did: /1006.*400.*subprotocol alone was let in/,
    },
  ]
  const cases = attacks.map((entry) => [`${entry.id} holds against ${entry.title}: ${entry.attack}`, entry] as const)

  it.each(cases)('%s', async (_name, { title, attack, did }) => {
    await signedIn(async (page, user) => {
      const row = card(page, title)
        .getByRole('listitem')
        .filter({ has: page.getByRole('heading', { name: attack }) })
      await row.getByRole('button', { name: `Try: ${attack}` }).click()
      await row.locator('.verdict:not([hidden])').waitFor({ timeout: patience })
      expect(await row.locator('.verdict').textContent()).toBe('held')
      expect(await row.locator('.did').textContent()).toMatch(did)
      // What an attack opened is closed again.
      await gone(page, user)
    })
  })

  it('are all tried above', async () => {
    await withPage(browser, playground.url, async (page) => {
      const names = await page.locator('.attack h4').allTextContents()
      expect(names.sort()).toEqual(attacks.map(({ attack }) => attack).sort())
    })
  })

  it('prove nothing when the server is gone', async () => {
    const other = await start()
    await withPage(browser, other.url, async (page) => {
      await signInOn(page)
      await other.close()
      for (const attack of ['Forge the signature', 'Present two credentials']) {
        const row = card(page, 'Subprotocol').getByRole('listitem').filter({ hasText: attack })
        await row.getByRole('button').click()
        await row.locator('.verdict:not([hidden])').waitFor()
        expect(await row.locator('.verdict').textContent()).toBe('unclear')
      }
    })
  })

  it('stop when something else is begun', async () => {
    await signedIn(async (page) => {
      const on = card(page, 'First message')
      const row = on.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'Say nothing' }) })
      await row.getByRole('button').click()
      await on.getByText('Saying nothing').waitFor()
      await connectOn(on)
      expect(await row.locator('.did').textContent()).toBe('Stopped.')
    })
  })
})

describe.concurrent('the commands of the header card', () => {
  async function copied(page: Page, title: RegExp): Promise<string> {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await card(page, 'Header').getByRole('button', { name: title }).click()
    await page.getByText('Copied, with your token in it.').waitFor({ state: 'attached' })
    return page.evaluate(() => navigator.clipboard.readText())
  }

  it('come in with Node.js', async () => {
    await signedIn(async (page, user) => {
      const command = await copied(page, /^Copy: Come in/)
      const cwd = fileURLToPath(new URL('../../..', import.meta.url))
      const child = spawn(`exec ${command}`, { shell: true, cwd, stdio: ['ignore', 'pipe', 'inherit'] })
      const [line] = await once(createInterface(child.stdout), 'line')
      expect(JSON.parse(line)).toEqual({ type: 'welcome', userId: user, method: 'header' })
      await rowsOf(page, user).getByText('header').waitFor()
      child.kill()
      await once(child, 'exit')
    })
  })

  it('show the 101, and the 401 of a forged signature', async () => {
    await signedIn(async (page) => {
      expect(await statusOf(await copied(page, /^Copy: See the 101/))).toBe(101)
      expect(await statusOf(await copied(page, /^Copy: Break it/))).toBe(401)
    })
  })
})

/** Sends what the curl command would send, and returns the status of the answer. */
async function statusOf(command: string): Promise<number | undefined> {
  const headers = Object.fromEntries(
    Array.from(command.matchAll(/--header "([^:]+): ([^"]+)"/g), ([, ...pair]) => pair),
  )
  const req = request(command.split(/\s/).at(-1) ?? '', { headers })
  req.end()
  const [response] = await Promise.race([once(req, 'upgrade'), once(req, 'response')])
  response.socket.destroy()
  return response.statusCode
}
