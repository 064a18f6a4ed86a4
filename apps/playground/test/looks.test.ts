import type { Page } from 'playwright-core'
import { describe, expect, it, vi } from 'vitest'
import { card, connectOn, signInOn, stage } from './support/browser.js'
import { lowContrast } from './support/contrast.js'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const { withPage } = stage()

/** Brings the page to where most of it can be seen: one inside, one revoked, one turned away, one waiting, all code open. */
async function fill(page: Page): Promise<void> {
  await signInOn(page, 'Ada, Countess of Lovelace, who signs in with a name so very long')
  await connectOn(card(page, 'Ticket'))
  await connectOn(card(page, 'Cookie'))
  await page.getByRole('button', { name: 'Revoke: cookie' }).click()
  await page.getByText('Close 4010: revoked').waitFor()
  await card(page, 'Subprotocol').getByRole('button', { name: 'Try: Forge the signature' }).click()
  await card(page, 'Subprotocol').getByText('held').waitFor()
  await card(page, 'First message').getByRole('button', { name: 'Try: Say nothing' }).click()
  await card(page, 'First message').getByText('Saying nothing').waitFor()
  for (const summary of await page.locator('summary').all()) await summary.click()
}

it('fits every window, from a small phone to a wide screen', async () => {
  await withPage(async (page) => {
    await fill(page)
    for (const width of [320, 390, 768, 1280, 1920]) {
      await page.setViewportSize({ width, height: 800 })
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
    }
  })
})

it.each(['light', 'dark'] as const)('has the contrast of WCAG AA in the %s', async (colorScheme) => {
  await withPage(
    async (page) => {
      await fill(page)
      expect(await page.evaluate(lowContrast)).toEqual([])
      // What this test would find:
      await page.locator('.motto').evaluate((motto) => {
        motto.style.color = getComputedStyle(document.body).backgroundColor
      })
      expect(await page.evaluate(lowContrast)).toHaveLength(1)
    },
    { colorScheme, reducedMotion: 'reduce' },
  )
})

it('is paper by day and a blueprint by night', async () => {
  await withPage(async (page) => {
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    expect(await background()).toBe('rgb(244, 242, 234)')
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await background()).toBe('rgb(13, 26, 40)')
  })
})

it('moves nothing for those who want no motion', async () => {
  await withPage(async (page) => {
    const leaf = page.locator('.leaf').first()
    const duration = () => leaf.evaluate((element) => getComputedStyle(element).transitionDuration)
    expect(await duration()).toBe('0.24s')
    await page.emulateMedia({ reducedMotion: 'reduce' })
    expect(await duration()).toBe('0s')
  })
})

describe('for those who listen', () => {
  it('has its landmarks, one heading of the first level, and a name for every control', async () => {
    await withPage(async (page) => {
      await signInOn(page)
      for (const role of ['banner', 'main'] as const) expect(await page.getByRole(role).count()).toBe(1)
      expect(await page.getByRole('heading', { level: 1 }).allTextContents()).toEqual(['Sallyport'])
      expect(await page.getByRole('heading', { level: 2 }).count()).toBe(8)
      expect(await page.getByRole('article', { name: /\w/ }).count()).toBe(7)
      expect(await page.getByRole('log', { name: /^On the wire: \w/ }).count()).toBe(0)
      await connectOn(card(page, 'Ticket'))
      expect(await page.getByRole('log', { name: 'On the wire: Ticket' }).getAttribute('aria-live')).toBe('polite')
      const nameless = await page.getByRole('button', { name: /^\s*$/ }).count()
      expect(nameless + (await page.getByRole('textbox', { name: /^$/ }).count())).toBe(0)
      expect(await page.evaluate(() => document.documentElement.lang)).toBe('en')
    })
  })

  it('tells in words what the doors show', async () => {
    await withPage(async (page) => {
      await signInOn(page)
      const on = card(page, 'Cookie')
      expect(await on.getByRole('status').first().textContent()).toBe('Outside')
      await connectOn(on)
      expect(await on.getByRole('status').first().textContent()).toBe('Inside as ada')
      expect(await on.locator('.doors').getAttribute('aria-hidden')).toBe('true')
    })
  })

  it('says who sent what in the diagram, and does not read the countdown aloud', async () => {
    await withPage(async (page) => {
      await signInOn(page)
      const on = card(page, 'First message')
      await on.getByRole('button', { name: 'Try: Say nothing' }).click()
      await on.getByText('Saying nothing').waitFor()
      const log = await on.getByRole('log').ariaSnapshot()
      expect(log).toMatch(/Sent: GET \/ws/)
      expect(log).toMatch(/Received: 101/)
      expect(log).not.toMatch(/0:0\d/)
    })
  })
})

describe('by keyboard', () => {
  it('reaches every control, in sight', async () => {
    await withPage(async (page) => {
      await page.getByLabel('Your name').press('Enter')
      await page.getByText('You are ada').waitFor()
      await page.evaluate(() => {
        window.scrollTo(0, 0)
        document.body.tabIndex = -1
        document.body.focus()
      })
      const all = await page.locator('button:visible:enabled, summary:visible, a[href]').count()
      const reached = new Set<string>()
      for (let i = 0; i < all; i++) {
        await page.keyboard.press('Tab')
        reached.add(
          await page.evaluate(() => {
            const at = document.activeElement as HTMLElement
            const { outlineStyle, outlineWidth } = getComputedStyle(at)
            const { width, height, left, top } = at.getBoundingClientRect()
            const inSight = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2 && width > 0 && height > 0
            return `${inSight} ${at.tagName} ${left + scrollX} ${top + scrollY}`
          }),
        )
      }
      expect(reached.size).toBe(all)
      expect([...reached].filter((entry) => !entry.startsWith('true'))).toEqual([])
    })
  })

  it('signs in, comes in, speaks and leaves', async () => {
    await withPage(async (page) => {
      await page.getByLabel('Your name').press('Enter')
      await page.getByText('You are ada').waitFor()
      const on = card(page, 'Ticket')
      await on.getByRole('button', { name: 'Connect', exact: true }).press('Enter')
      const line = on.getByLabel('Line to send')
      await line.waitFor()
      await line.pressSequentially('Hello')
      await line.press('Enter')
      await on.getByText('{"type":"echo","data":"Hello"}').waitFor()
      await on.getByRole('button', { name: 'Disconnect' }).press('Space')
      await on.getByText('Outside again').waitFor()
    })
  })

  it('skips to the cards', async () => {
    await withPage(async (page) => {
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      expect(new URL(page.url()).hash).toBe('#ways')
      await page.keyboard.press('Tab')
      expect(await page.evaluate(() => document.activeElement?.closest('main') !== null)).toBe(true)
    })
  })
})
