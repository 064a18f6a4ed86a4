import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { connectionOf } from '@sallyport/server/socket-io'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { credentialOf } from '../support/claims.js'
import { settled, startSocketIo } from '../support/socket-io.js'

const patience = 30_000
let browser: Browser

beforeAll(async () => {
  const executablePath = process.env.CHROMIUM_PATH || '/usr/bin/chromium'
  if (!existsSync(executablePath))
    throw new Error(`There is no Chromium at ${executablePath}: name yours in CHROMIUM_PATH`)
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
}, patience)
afterAll(() => browser.close())

/** A page with the client of Socket.IO, and a session cookie; what the client is told stands in its title. */
const html = (options: object) => `<!doctype html><script src="/socket.io/socket.io.js"></script><script>
  const socket = globalThis.socket = io(${JSON.stringify(options)})
  socket.on('said', (text) => { document.title = text })
  socket.on('connect_error', (error) => { document.title = 'refused ' + (error.data ? error.data.code : error.description) })
  socket.on('connect', () => socket.emit('say', 'hello'))
</script>`

/** Opens such a page of the server itself, or of another. */
async function open(options: object, cookie?: string, isForeign = false) {
  const serve = createServer((_, response) => {
    if (cookie) response.setHeader('Set-Cookie', `session=${cookie}; Path=/; HttpOnly`)
    response.setHeader('Content-Type', 'text/html').end(html(options))
  })
  const own = new Set<string>()
  const server = await startSocketIo({ server: serve, guard: { origins: (origin) => own.has(origin) } })
  if (!isForeign) own.add(server.url)
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(server.url)
  return { ...server, page, close: () => context.close() }
}

describe.each([['polling'], ['websocket'], ['polling', 'websocket']].map((transports) => ({ transports })))(
  'a page in Chromium, over $transports',
  ({ transports }) => {
    it('comes in by the cookie of its own server, whose GETs have no Origin', { timeout: patience }, async () => {
      const { page, guard, sockets, close } = await open({ transports }, credentialOf())
      await page.waitForFunction(() => document.title === 'echo hello')
      await settled(sockets[0]!, transports.at(-1)!)
      expect(connectionOf(guard, sockets[0]!).method).toBe('cookie')
      await page.evaluate(() => Reflect.get(globalThis, 'socket').emit('say', 'again'))
      await page.waitForFunction(() => document.title === 'echo again')
      await close()
    })

    it('comes in by a token in auth', { timeout: patience }, async () => {
      const { page, guard, sockets, close } = await open({ transports, auth: { token: credentialOf() } })
      await page.waitForFunction(() => document.title === 'echo hello')
      expect(connectionOf(guard, sockets[0]!).method).toBe('message')
      await close()
    })

    it('is told why it may not', { timeout: patience }, async () => {
      const { page, sockets, close } = await open({ transports, auth: { token: 'bad' } })
      await page.waitForFunction(() => document.title === 'refused 4001')
      expect(sockets).toEqual([])
      await close()
    })

    it('stays outside when its origin is none of ours', { timeout: patience }, async () => {
      const { page, sockets, reasons, close } = await open({ transports }, credentialOf(), true)
      await page.waitForFunction(() => document.title.startsWith('refused'))
      expect(sockets).toEqual([])
      // A page's own GET shows no origin: it is refused when it sends something.
      expect(new Set(reasons())).toEqual(new Set(['origin-not-allowed']))
      await close()
    })
  },
)
