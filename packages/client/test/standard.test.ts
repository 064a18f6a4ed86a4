import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { cookie, createGuard, createRoutes, firstMessage, ticket } from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import { build } from 'esbuild'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch } from '../../../apps/playground/test/support/browser.js'
import { verifyGood } from '../../server/test/support/guard.js'
import { echo } from '../../server/test/support/server.js'
import { cases } from './standard/cases.js'

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const session = cookie({ name: 'session', verify: verifyGood })

/** What each route accepts. The class of the browser itself comes in by the cookie. */
const routes = {
  ticket: [ticket(), session],
  cookie: [session],
  message: [firstMessage({ verify: verifyGood })],
}

/** A page with the cases, and a guarded route for each way in, which echoes, and closes at a word. */
async function serve() {
  const { outputFiles } = await build({
    entryPoints: [source('standard/page.ts')],
    alias: {
      '@sallyport/client': source('../src/index.ts'),
      '@sallyport/protocol': source('../../protocol/src/index.ts'),
    },
    bundle: true,
    write: false,
  })
  const page = `<!doctype html><meta charset="utf-8"><script>${outputFiles[0]?.text}</script>`
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const handlers = Object.entries(routes).map(([way, accept]) => {
    const path = `/${way}/ws`
    const guard = createGuard({ origins: [`http://${host}`], protocols: ['chat', 'chat2'], accept })
    guardServer(server, guard, { path }, (socket, connection) => {
      echo(socket, connection)
      socket.on('message', (data) => String(data) === 'bye' && socket.close(4321, 'bye'))
    })
    return createRoutes(guard, { path })
  })
  server.on('request', async (request, response) => {
    for (const { node } of handlers) if (await node(request, response)) return
    response.writeHead(200, { 'content-type': 'text/html' }).end(page)
  })
  return { server, host }
}

describe('the class of webSocketClass, in Chromium, beside that of the browser', () => {
  let browser: Browser
  let served: Awaited<ReturnType<typeof serve>>
  beforeAll(async () => {
    ;[browser, served] = await Promise.all([launch(), serve()])
  })
  afterAll(async () => {
    await browser.close()
    served.server.closeAllConnections()
    served.server.close()
  })

  it.each([
    ['native', 'cookie'],
    ['ticket', 'ticket'],
    ['cookie', 'cookie'],
    ['message', 'message'],
  ])('%s does as the standard says', { timeout: 60_000 }, async (way, route) => {
    const context = await browser.newContext()
    const url = `http://${served.host}/`
    await context.addCookies([{ name: 'session', value: 'good-ada', url, httpOnly: true }])
    const page = await context.newPage()
    await page.goto(url)
    const results = await page.evaluate(`runStandard('${way}', 'ws://${served.host}/${route}/ws')`)
    await context.close()
    expect(results).toEqual(cases.map(({ name }) => [name, null]))
  })
})
