import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import type { Engine, Tab } from './engine.js'
import { programOf, signalAll } from './process.js'

/** Chromium, by its own protocol. */
export const chromium = async (): Promise<Engine> =>
  engineOf(
    await puppeteer.launch({
      browser: 'chrome',
      executablePath: programOf('CHROMIUM_PATH', '/usr/bin/chromium'),
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    }),
  )

/** Firefox, by WebDriver BiDi. */
export const firefox = async (): Promise<Engine> =>
  engineOf(
    await puppeteer.launch({
      browser: 'firefox',
      executablePath: programOf('FIREFOX_PATH', '/usr/bin/firefox-esr'),
    }),
  )

function engineOf(browser: Browser): Engine {
  const program = browser.process()!
  return {
    async open(url) {
      const page = await browser.newPage()
      await page.goto(url)
      return tabOf(page)
    },
    suspend: () => signalAll(program, 'SIGSTOP'),
    resume: () => signalAll(program, 'SIGCONT'),
    close: () => browser.close(),
  }
}

const tabOf = (page: Page): Tab => ({
  run: async <T>(expression: string) => (await page.evaluate(expression)) as T,
  reload: async () => void (await page.reload()),
  click: (selector) => page.click(selector),
  type: (selector, text) => page.type(selector, text),
  setOffline: (offline) => page.setOfflineMode(offline),
  screenshot: () => page.screenshot(),
  close: () => page.close(),
})
