import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT } from 'jose'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { launch } from './support/browser.js'
import { temporaryDirectory } from './support/page.js'
import { bundle, readPage, runServer } from './support/snippets.js'

// What a newcomer copies: the first two snippets of the README, as they stand there.

const secret = 'a secret of more than thirty-two bytes'

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let server: ChildProcess
let pages: Server
let browser: Browser
let readme: string

beforeAll(async () => {
  directory = await temporaryDirectory()
  const { text, snippets } = await readPage('README.md')
  const [serverSnippet = '', pageSnippet = ''] = snippets
  readme = text
  const running = await runServer(serverSnippet, directory.path, { JWT_SECRET: secret })
  server = running.server
  const page = await bundle(pageSnippet, { platform: 'browser' })
  pages = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html').end(`<!doctype html><script type="module">${page}</script>`)
  }).listen(0, '127.0.0.1')
  await once(pages, 'listening')
  const { port } = pages.address() as AddressInfo
  const places = [running.place, ...[3000, 3001].map((own) => `MAP localhost:${own} 127.0.0.1:${port}`)]
  browser = await launch(`--host-resolver-rules=${places.join(',')}`)
})

afterAll(async () => {
  await browser?.close()
  server?.kill()
  pages?.close()
  await directory.remove()
})

const tokenOf = (user: string, audience: string) =>
  new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setIssuer('https://id.example.com')
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(Buffer.from(secret))

/** Opens the page's snippet at that address, with a token; answers the first that is written to the console. */
async function visit(address: string, token: string): Promise<string> {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    await page.addInitScript((token) => Object.assign(globalThis, { getAccessToken: async () => token }), token)
    const said = page.waitForEvent('console')
    await page.goto(address)
    return (await said).text()
  } finally {
    await context.close()
  }
}

it('the two snippets of the README work together as they stand', async () => {
  expect(await visit('http://localhost:3000', await tokenOf('ada', 'chat'))).toBe('hello ada')
})

it.each<[string, string, string, RegExp]>([
  ['a token of another audience', 'http://localhost:3000', 'billing', /status of 401/],
  ['a page of another origin', 'http://localhost:3001', 'chat', /blocked by CORS policy/],
])('and keep out %s', async (_who, address, audience, error) => {
  expect(await visit(address, await tokenOf('ada', audience))).toMatch(error)
})

it('the README says what to install', () => {
  expect(readme.slice(0, readme.indexOf('```ts'))).toMatch(/^npm install @sallyport\/server @sallyport\/client ws$/m)
})
