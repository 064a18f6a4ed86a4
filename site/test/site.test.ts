import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type EngineName, engines } from '../../apps/playground/test/engines/engine.js'
import { launch } from '../../apps/playground/test/support/browser.js'
import { lowContrast } from '../../apps/playground/test/support/contrast.js'
import { buildSite } from '../../scripts/site.mjs'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 300_000 })

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

let server: Server
let origin: string
let browser: Browser
/** What each page is written of, by its address. */
let pages: Map<string, string>

beforeAll(async () => {
  await buildSite()
  pages = new Map(
    readdirSync(dist, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.html') && file !== '404.html')
      .map((file) => [
        `/${file.slice(0, -'.html'.length)}`.replace(/\/index$/, '/'),
        readFileSync(join(dist, file), 'utf8'),
      ]),
  )
  server = createServer(async ({ url = '/' }, response) => {
    const { pathname } = new URL(url, 'http://localhost')
    const file = `${pathname.replace(/\/$/, '/index')}${extname(pathname) ? '' : '.html'}`
    const content = await readFile(join(dist, file)).catch(() => undefined)
    response.writeHead(content ? 200 : 404, {
      'Content-Type': types[extname(file)] ?? 'application/octet-stream',
      // The names of these change with what is in them.
      ...(pathname.startsWith('/assets/') && { 'Cache-Control': 'max-age=3600, immutable' }),
    })
    response.end(content)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  browser = await launch()
})

afterAll(async () => {
  await browser?.close()
  server?.close()
})

/** Opens a page, and answers what was wrong while it was looked at. */
async function look(options: BrowserContextOptions, visit: (page: Page) => Promise<void>): Promise<string[]> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
  try {
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(`${page.url()}: ${error}`))
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(`${page.url()}: ${message.text()} ${message.location().url}`)
    })
    await visit(page)
    return errors
  } finally {
    await context.close()
  }
}

it('each link leads to a page of the site, and to its heading', () => {
  const lost = [...pages].flatMap(([address, html]) =>
    [...html.matchAll(/<a [^>]*href="([^"]+)"/g)].flatMap(([, href = '']) => {
      const target = new URL(href.replaceAll('&amp;', '&'), `http://site${address}`)
      if (target.host !== 'site') return []
      const there = pages.get(target.pathname)
      if (there === undefined) return [`${address}: ${href}: no page`]
      const id = decodeURIComponent(target.hash.slice(1))
      return id === '' || there.includes(`id="${id}"`) ? [] : [`${address}: ${href}: no heading`]
    }),
  )
  expect(pages.size).toBeGreaterThan(50)
  expect(lost).toEqual([])
})

it('each page fits a phone, and says nothing in the console', async () => {
  const errorPages = [...pages.keys()].filter((address) => address.startsWith('/errors/')).slice(3) // all of one form
  const addresses = [...pages.keys()].filter((address) => !errorPages.includes(address))
  const wide: string[] = []
  const tab = async (page: Page) => {
    for (let address = addresses.pop(); address !== undefined; address = addresses.pop()) {
      await page.goto(origin + address)
      if ((await page.evaluate(() => document.documentElement.scrollWidth)) > 390) wide.push(address)
    }
  }
  const tabs = Array.from({ length: 3 }, () => look({ viewport: { width: 390, height: 844 } }, tab))
  expect((await Promise.all(tabs)).flat()).toEqual([])
  expect(wide).toEqual([])
})

it.each([1280, 390])('the search finds a close code, %i pixels wide', async (width) => {
  const errors = await look({ viewport: { width, height: 844 } }, async (page) => {
    await page.goto(origin)
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('searchbox').fill('4001')
    await page.getByRole('option').first().click()
    await page.locator('main', { hasText: '4001' }).waitFor()
    expect(new URL(page.url()).pathname).not.toBe('/')
  })
  expect(errors).toEqual([])
})

it.each(['light', 'dark'] as const)('has the contrast of WCAG AA in the %s', async (colorScheme) => {
  const errors = await look({ colorScheme, viewport: { width: 1280, height: 844 } }, async (page) => {
    for (const address of ['/', '/protocol', '/stacks/express', '/api/@sallyport/server/ws']) {
      await page.goto(origin + address)
      expect(await page.evaluate(lowContrast), address).toEqual([])
    }
  })
  expect(errors).toEqual([])
})

/** How far a page stands out of a window as wide as a phone, and what was wrong there. */
const onPhone = (address: string) => `(async () => {
  const frame = document.createElement('iframe')
  Object.assign(frame.style, { width: '390px', height: '844px', border: 0 })
  frame.src = '${address}'
  document.body.replaceChildren(frame)
  const errors = []
  frame.contentWindow.addEventListener('error', ({ message }) => errors.push(message))
  await new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }))
  const { scrollWidth, clientWidth } = frame.contentDocument.documentElement
  return { beyond: scrollWidth - clientWidth, errors }
})()`

it.each(Object.keys(engines) as EngineName[])('fits a phone and finds a close code in %s', async (name) => {
  const engine = await engines[name]()
  try {
    const tab = await engine.open(`${origin}/errors`)
    // The button works when the script of the page has come.
    const search = `!!document.querySelector('#localsearch-input') || document.querySelector('.VPNavBarSearch button').click()`
    await expect.poll(() => tab.run(search), { timeout: 20_000 }).toBe(true)
    await tab.type('#localsearch-input', '4001')
    const first = `document.querySelector('#localsearch-list a')?.getAttribute('href')`
    await expect.poll(() => tab.run(first), { timeout: 20_000 }).toMatch(/^\//)
    for (const address of ['/', '/protocol', '/stacks/express']) {
      expect(await tab.run(onPhone(address))).toEqual({ beyond: 0, errors: [] })
    }
  } finally {
    await engine.close()
  }
})
