import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createGuard } from '@sallyport/server'
import { expect, it } from 'vitest'
import { allMethods } from '../../server/test/support/guard.js'
import { startServer } from '../../server/test/support/server.js'

// The package as it is published, in a process that has nothing but the runtime's own WebSocket.
const client = new URL('../dist/index.js', import.meta.url).href
const script = fileURLToPath(new URL('runtime/way-in.mjs', import.meta.url))
const major = Number.parseInt(process.versions.node, 10)
const flags = major < 22 ? ['--experimental-websocket'] : []

/** Goes in one way, and answers what the client printed. */
async function goIn(way: string, token: string): Promise<unknown[]> {
  const guard = createGuard({ ...allMethods(), refuseBy: 'close' })
  const { url, idle } = await startServer(guard)
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, client, url, way, token])
  await idle()
  expect(guard.connections.size).toBe(0)
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
}

const ways = ['ticket', 'header', 'first message', 'subprotocol']

it.each(ways)(`the WebSocket of Node.js itself gets in by %s`, async (way) => {
  const protocol = way === 'subprotocol' ? 'app.v1' : ''
  expect(await goIn(way, 'good-ada')).toEqual([
    { message: 'hello ada', protocol },
    { message: 'anybody there?', protocol },
    { closed: 1000 },
  ])
})

it.each(ways)(`the WebSocket of Node.js itself is refused with a bad token by %s, and stops`, async (way) => {
  expect(await goIn(way, 'bad')).toEqual([{ terminal: 'unauthenticated' }, { closed: 4001 }])
})
