import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { describe, expect, it, vi } from 'vitest'
import { card, connectOn, signInOn, stage } from './support/browser.js'
import { start } from './support/playground.js'

// A ticket is let grow old, in real time.
const patience = 60_000
vi.setConfig({ testTimeout: patience, hookTimeout: patience })

const { withPage, withPageAt } = stage()

let users = 0

/** Signs a new user in, so that the rows of the table can be told apart. */
const signedIn = (visit: (page: Page, user: string) => Promise<void>) =>
  withPage(async (page) => {
    const user = `user-${++users}-`
    await signInOn(page, user)
    await visit(page, user)
  })

/** The rows of the connections that this user has. Those that are over stay for a while. */
const rowsOf = (page: Page, user: string) =>
  page.getByRole('row').filter({ hasText: user }).filter({ hasNotText: 'ended' })

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
      await on.getByText('Close 4019 Credential expired').waitFor({ timeout: patience })
      await on.getByText('Outside again: the credential has expired. Come again at once').waitFor()
      await page.getByText('Close 4019: the credential has expired').first().waitFor()
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
      for (const on of cards) await on.getByText('Outside again: revoked. Do not come again').waitFor()
      await gone(page, user)
    })
  })

  it('First message: renews with a new token', async () => {
    await signedIn(async (page) => {
      const on = card(page, 'First message')
      const renew = on.getByRole('button', { name: 'Renew', exact: true })
      expect(await renew.isDisabled()).toBe(true)
      await connectOn(on)
      await renew.click()
      await on.getByRole('log').getByText('{"type":"auth_ok"').nth(1).waitFor()
      expect(await on.getByRole('log').textContent()).toMatch(
        /"expiresIn":3600.*"type":"auth_ok".*"expiresIn":3\d{3}\}$/,
      )
      await on.getByText('Inside as').waitFor()
      expect(await card(page, 'Ticket').getByRole('button', { name: 'Renew', exact: true }).count()).toBe(0)
    })
  })

  it('asks who is not signed in to do so', async () => {
    await withPage(async (page) => {
      await card(page, 'Ticket').getByRole('button', { name: 'Connect', exact: true }).click()
      await page.getByText('Sign in first: any name will do.').waitFor()
      expect(await page.getByLabel('Your name').evaluate((input) => input === document.activeElement)).toBe(true)
    })
  })

  it('J01 shows no credential, anywhere', async () => {
    await withPage(async (page) => {
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

describe.concurrent('the table', () => {
  const renew = (page: Page, method: string) => page.getByRole('button', { name: `Renew: ${method}` })
  const revoke = (page: Page, method: string) => page.getByRole('button', { name: `Revoke: ${method}` })

  it('counts down, and renews a connection', async () => {
    await signedIn(async (page, user) => {
      await connectOn(card(page, 'Query token'))
      const row = rowsOf(page, user)
      const left = async () => Number((await row.getByRole('cell').last().textContent())?.replace('0:', ''))
      const atFirst = await left()
      expect(atFirst).toBeLessThanOrEqual(30)
      await expect.poll(left, { timeout: 10_000 }).toBeLessThan(atFirst)
      await renew(page, 'query').click()
      await row.getByText(/^(1:00:00|59:5\d)$/).waitFor()
      await page.getByText(/^Renewed with a new token: (1:00:00|59:59) from now\.$/).waitFor()
      await card(page, 'Query token').getByText('Inside as').waitFor()
    })
  })

  it('F16 revokes one connection, says so, and lets the others be', async () => {
    await signedIn(async (page, user) => {
      const [one, other] = [card(page, 'Subprotocol'), card(page, 'Cookie')]
      await connectOn(one)
      await connectOn(other)
      await revoke(page, 'subprotocol').press('Enter')
      await one.getByText('Close 4010 Revoked').waitFor()
      const entry = page.getByRole('rowgroup').filter({ hasText: user }).filter({ hasText: 'subprotocol' })
      await entry.getByText('Close 4010: revoked').waitFor()
      expect(await entry.getByRole('button').count()).toBe(0)
      await page.getByText('Revoked that connection.').waitFor()
      // Not lost with the button that had it.
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Inside now')
      expect(await rowsOf(page, user).count()).toBe(1)
      await other.getByLabel('Line to send').fill('Still here')
      await other.getByLabel('Line to send').press('Enter')
      await other.getByText('{"type":"echo","data":"Still here"}').waitFor()
      await entry.waitFor({ state: 'detached' })
    })
  })

  it('keeps the focus where it is while others come and go', async () => {
    await signedIn(async (page) => {
      await connectOn(card(page, 'Cookie'))
      await renew(page, 'cookie').focus()
      await signedIn(async (other, neighbour) => {
        await connectOn(card(other, 'Ticket'))
        await rowsOf(page, neighbour).waitFor()
      })
      expect(await renew(page, 'cookie').evaluate((button) => button === document.activeElement)).toBe(true)
    })
  })

  it('gives nobody a button for the connection of somebody else', async () => {
    await signedIn(async (page, user) => {
      await signedIn(async (other, neighbour) => {
        await connectOn(card(page, 'Ticket'))
        await connectOn(card(other, 'Ticket'))
        const buttons = (on: Page, of: string) => on.getByRole('rowgroup').filter({ hasText: of }).getByRole('button')
        for (const on of [page, other]) for (const of of [user, neighbour]) await rowsOf(on, of).waitFor()
        expect(await buttons(page, user).count()).toBe(2)
        expect(await buttons(page, neighbour).count()).toBe(0)
        expect(await buttons(other, neighbour).count()).toBe(2)
        expect(await buttons(other, user).count()).toBe(0)
      })
    })
  })

  it('F02 logging out everywhere closes the connections of every browser, and of nobody else', async () => {
    await signedIn(async (page, user) => {
      await connectOn(card(page, 'Ticket'))
      await withPage(async (elsewhere) => {
        await signInOn(elsewhere, user)
        await connectOn(card(elsewhere, 'Cookie'))
        await signedIn(async (other) => {
          await connectOn(card(other, 'Ticket'))
          await page.getByRole('button', { name: 'Log out everywhere' }).click()
          await card(page, 'Ticket').getByText('Close 4010 Revoked').waitFor()
          await card(elsewhere, 'Cookie').getByText('Close 4010 Revoked').waitFor()
          await page.getByText(`Logged out everywhere. The guard has closed every connection of ${user}`).waitFor()
          expect(await page.getByLabel('Your name').evaluate((input) => input === document.activeElement)).toBe(true)
          await card(other, 'Ticket').getByLabel('Line to send').fill('Still here')
          await card(other, 'Ticket').getByLabel('Line to send').press('Enter')
          await card(other, 'Ticket').getByText('{"type":"echo","data":"Still here"}').waitFor()
        })
      })
      // And whoever signs in again is in again.
      await signInOn(page, user)
      await connectOn(card(page, 'Ticket'))
    })
  })

  it('I17 shows that the server restarts, and the client comes again', async () => {
    const first = await start()
    await withPageAt(first.url, async (page) => {
      const [bare, client] = [card(page, 'Cookie'), card(page, 'Or let the client do it')]
      await signInOn(page)
      await connectOn(bare)
      await connectOn(client)
      const drained = first.drain(500)
      await page.getByText('Close 1012: the server restarts').first().waitFor()
      await bare.getByText('Close 1012 Service restart').waitFor()
      await bare.getByText('Outside again: the server restarts. Come again in a moment.').waitFor()
      await client
        .getByText(/^reconnecting in \d+ ms: unavailable/)
        .first()
        .waitFor()
      await drained
      await page.getByText('The playground does not answer.').waitFor()
      expect(await rowsOf(page, 'ada').count()).toBe(0)
      await first.close()

      const second = await start({ port: Number(new URL(first.url).port) })
      await client.getByText('Inside as ada').waitFor()
      await rowsOf(page, 'ada').getByText('ticket').waitFor()
      await second.close()
    })
  })
})

describe.concurrent('the attacks', () => {
  // The slow ones first, so that the others run meanwhile.
  const attacks = [
    { id: 'C03', title: 'Ticket', attack: 'Come late', did: /Close 4001.*A fresh ticket was let in/ },
    {
      id: 'F01',
      title: 'Query token',
      attack: 'Outlive your token',
      did: /Close 4019 “Credential expired”.*30 seconds was let in/,
    },
    {
      id: 'F01',
      title: 'Or let the client do it',
      attack: 'Outlive its token',
      did: /Close 4019 “Credential expired”.*with a new token, was let in/,
    },
    {
      id: 'F07',
      title: 'First message',
      attack: 'Renew as somebody else',
      did: /Close 4003 “Forbidden”.*Your own token was let in/,
    },
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
    await withPage(async (page) => {
      const names = await page.locator('.attack h4').allTextContents()
      expect(names.sort()).toEqual(attacks.map(({ attack }) => attack).sort())
    })
  })

  it('prove nothing when the server is gone', async () => {
    const other = await start()
    await withPageAt(other.url, async (page) => {
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

// One after the other: all pages of a browser have one clipboard.
describe('the commands of the header card', () => {
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
