import type { Locator, Page } from 'playwright-core'
import { describe, expect, it, vi } from 'vitest'
import { card, connectOn, signInOn, stage } from './support/browser.js'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const { withPage } = stage()

const windows = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
] as const

const topOf = (element: Locator) => element.evaluate((found) => found.getBoundingClientRect().top)

/** Whether one could click it where it is. */
const isInSight = (element: Locator) =>
  element.evaluate((found) => {
    const { left, top, width, height } = found.getBoundingClientRect()
    const there = document.elementFromPoint(left + width / 2, top + height / 2)
    return there !== null && found.contains(there)
  })

const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent)

describe.each(windows)('in a window of $width', (viewport) => {
  it('an attack leaves its button where it is, with the verdict beside it', async () => {
    await withPage(
      async (page) => {
        await signInOn(page)
        const on = card(page, 'Ticket')
        const button = on.getByRole('button', { name: 'Try: Replay a used ticket' })
        await button.focus()
        const before = await topOf(button)
        await button.press('Enter')
        const verdict = on.getByText('held', { exact: true })
        await verdict.waitFor()
        await expect.poll(() => topOf(button)).toBeCloseTo(before, -0.5)
        expect(await isInSight(button)).toBe(true)
        expect(await isInSight(verdict)).toBe(true)
        // Above it the diagram has grown, which would have pushed it.
        expect(await on.getByRole('log').evaluate((log) => log.getBoundingClientRect().height)).toBeGreaterThan(200)
      },
      { viewport },
    )
  })

  it('a wait counts down beside the button that began it, and not aloud', async () => {
    await withPage(
      async (page) => {
        await signInOn(page)
        const row = card(page, 'Ticket').getByRole('listitem').filter({ hasText: 'Come late' })
        await row.getByRole('button').press('Enter')
        const count = row.locator('.try .count')
        await expect.poll(() => count.textContent()).toMatch(/^0:[23]\d$/)
        expect(await isInSight(count)).toBe(true)
        expect(await row.ariaSnapshot()).not.toMatch(/0:[23]\d/)
      },
      { viewport },
    )
  })

  it('who is inside is in sight of every card', async () => {
    await withPage(
      async (page) => {
        await signInOn(page)
        for (const title of ['Ticket', 'Subprotocol']) {
          await connectOn(card(page, title))
          const row = page.getByRole('row').filter({ hasText: title.toLowerCase() })
          await row.waitFor()
          expect(await isInSight(page.getByRole('heading', { name: 'Inside now' }))).toBe(true)
          await card(page, title).getByRole('button', { name: 'Disconnect' }).click()
          await card(page, title).getByText('Outside again').waitFor()
        }
      },
      { viewport },
    )
  })

  it('nothing that has the focus is behind something else', async () => {
    await withPage(
      async (page) => {
        await signInOn(page)
        const all = await page.locator('button:visible:enabled, summary:visible, a[href]').count()
        const hidden: unknown[] = []
        for (let i = 0; i < all; i++) {
          await page.keyboard.press('Tab')
          hidden.push(
            ...(await page.evaluate(() => {
              const at = document.activeElement as HTMLElement
              const { left, top, width, height } = at.getBoundingClientRect()
              const there = document.elementFromPoint(left + width / 2, top + height / 2)
              return at === document.body || (there && at.contains(there)) ? [] : [at.ariaLabel ?? at.textContent]
            })),
          )
        }
        expect(hidden).toEqual([])
      },
      { viewport },
    )
  })
})

describe('the focus', () => {
  it('goes to Connect when Disconnect was pressed', async () => {
    await withPage(async (page) => {
      await signInOn(page)
      const on = card(page, 'Ticket')
      await connectOn(on)
      await on.getByRole('button', { name: 'Disconnect' }).press('Enter')
      await on.getByText('Outside again').waitFor()
      expect(await focused(page)).toBe('Connect')
    })
  })

  it('goes there too when the connection ends while something is being said', async () => {
    await withPage(async (page) => {
      await signInOn(page)
      const on = card(page, 'Cookie')
      await connectOn(on)
      await on.getByLabel('Line to send').focus()
      await page.evaluate(() => fetch('/logout', { method: 'POST' }))
      await on.getByText('Close 4010 Revoked').waitFor()
      expect(await focused(page)).toBe('Connect')
    })
  })

  it('stays where it is when it was elsewhere', async () => {
    await withPage(async (page) => {
      await signInOn(page)
      const on = card(page, 'Cookie')
      await connectOn(on)
      await page.getByRole('button', { name: 'Sign out' }).focus()
      await page.evaluate(() => fetch('/logout', { method: 'POST' }))
      await on.getByText('Close 4010 Revoked').waitFor()
      expect(await focused(page)).toBe('Sign out')
    })
  })
})

it('no two buttons have the same name and description', async () => {
  await withPage(async (page) => {
    await signInOn(page)
    const names = await page.locator('button:visible').evaluateAll((buttons) =>
      buttons.map((button) => {
        const described = document.getElementById(button.getAttribute('aria-describedby') ?? '')
        return `${button.ariaLabel ?? button.textContent} / ${described?.textContent ?? ''}`
      }),
    )
    expect(names.length).toBeGreaterThan(20)
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
  })
})

it('a reload does not forget who is signed in, and shows no token', async () => {
  await withPage(async (page) => {
    await signInOn(page, 'grace')
    const answer = page.waitForResponse('**/session')
    await page.reload()
    await page.getByText('You are grace').waitFor()
    await connectOn(card(page, 'Ticket'))
    const { token } = await (await answer).json()
    expect(await page.content()).not.toContain(token)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.reload()
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
    expect(await page.getByText('You are grace').isVisible()).toBe(false)
  })
})
