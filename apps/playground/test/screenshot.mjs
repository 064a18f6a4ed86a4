// Takes docs/images/playground.png from the built playground: npm run build, then npm run screenshot -w @sallyport/playground
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { startPlayground } from '../dist/playground.js'

const path = fileURLToPath(new URL('../../../docs/images/playground.png', import.meta.url))

const playground = await startPlayground({ host: '127.0.0.1', port: 0, secret: randomBytes(32) })
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
})
try {
  const page = await browser.newPage({
    viewport: { width: 1280, height: 1000 },
    deviceScaleFactor: 1.25,
    reducedMotion: 'reduce',
  })
  await page.goto(playground.url)
  const card = (way) => page.locator(`[data-way=${way}]`)

  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('You are ada').waitFor()
  for (const way of ['cookie', 'query', 'subprotocol', 'ticket']) {
    await card(way).getByRole('button', { name: 'Connect', exact: true }).click()
    await card(way).getByText('Inside as ada').waitFor()
  }
  await card('message').getByRole('button', { name: 'Try: Talk before you are let in' }).click()
  await card('message').getByText('held').waitFor()

  await page.getByRole('button', { name: 'Renew: query' }).click()
  await page.getByText('Renewed with a new token').waitFor()
  await page.getByRole('button', { name: 'Revoke: subprotocol' }).click()
  await page.getByText('Close 4010: revoked').waitFor()

  await page.evaluate(() => window.scrollTo(0, 0))
  await mkdir(dirname(path), { recursive: true })
  await page.screenshot({ path })
} finally {
  await browser.close()
  await playground.close()
}
