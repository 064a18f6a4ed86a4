import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import { SignJWT } from 'jose'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { launch } from './support/browser.js'
import { temporaryDirectory } from './support/page.js'

// What a newcomer copies: the first two snippets of the README, as they stand there.

const root = fileURLToPath(new URL('../../..', import.meta.url))
const source = (path: string) => join(root, 'packages', path)
const alias = {
  '@sallyport/server/jwt': source('server/src/verifiers/tokens.ts'),
  '@sallyport/server/ws': source('server/src/adapters/ws/guard-server.ts'),
  '@sallyport/server': source('server/src/index.ts'),
  '@sallyport/client': source('client/src/index.ts'),
  '@sallyport/protocol': source('protocol/src/index.ts'),
}
const secret = 'a secret of more than thirty-two bytes'

/** The server listens on any port, and says on which; the browser takes it for the one that stands in the README. */
const anyPort = `
import { Server } from 'node:net'
const { listen } = Server.prototype
Server.prototype.listen = function (port) {
  this.once('listening', () => console.log(port, this.address().port))
  return listen.call(this, 0, '127.0.0.1')
}`

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let server: ChildProcess
let pages: Server
let browser: Browser
let readme: string

beforeAll(async () => {
  directory = await temporaryDirectory()
  readme = await readFile(join(root, 'README.md'), 'utf8')
  const [serverSnippet = '', pageSnippet = ''] = snippets(readme)
  const programme = join(directory.path, 'server.mjs')
  const platform: BuildOptions = {
    platform: 'node',
    banner: { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);` },
  }
  await writeFile(programme, await bundle(serverSnippet, platform))
  await writeFile(join(directory.path, 'any-port.mjs'), anyPort)
  const env = { JWT_SECRET: secret }
  server = spawn(process.execPath, ['--import', join(directory.path, 'any-port.mjs'), programme], { env })
  const [line] = await once(createInterface(server.stdout!), 'line')
  const [written, actual] = String(line).split(' ')
  const page = await bundle(pageSnippet, { platform: 'browser' })
  pages = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html').end(`<!doctype html><script type="module">${page}</script>`)
  }).listen(0, '127.0.0.1')
  await once(pages, 'listening')
  const { port } = pages.address() as AddressInfo
  const places = [
    `localhost:${written} 127.0.0.1:${actual}`,
    ...[3000, 3001].map((own) => `localhost:${own} 127.0.0.1:${port}`),
  ]
  browser = await launch(`--host-resolver-rules=${places.map((place) => `MAP ${place}`).join(',')}`)
})

afterAll(async () => {
  await browser?.close()
  server?.kill()
  pages?.close()
  await directory.remove()
})

/** The TypeScript of a page, block by block. */
const snippets = (markdown: string) => [...markdown.matchAll(/^```ts\n(.*?)^```/gms)].map(([, text = '']) => text)

async function bundle(contents: string, options: BuildOptions): Promise<string> {
  const stdin = { contents, loader: 'ts', resolveDir: root } as const
  const { outputFiles = [] } = await build({ stdin, alias, bundle: true, format: 'esm', write: false, ...options })
  return outputFiles[0]?.text ?? ''
}

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
