import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createGuard } from '@sallyport/server'
import { describe, expect, it, vi } from 'vitest'
import { allMethods } from '../../server/test/support/guard.js'
import { startServer } from '../../server/test/support/server.js'

// The package as it is published, in a process that has nothing but the runtime's own WebSocket.
const client = new URL('../dist/index.js', import.meta.url).href
const script = fileURLToPath(new URL('runtime/way-in.mjs', import.meta.url))
const major = Number.parseInt(process.versions.node, 10)

/** The Node.js that runs the tests, and those that `npm test` has fetched. */
const nodes: [name: string, path: string | undefined, flags: string[]][] = [
  ['Node.js that runs this', process.execPath, major < 22 ? ['--experimental-websocket'] : []],
  ['Node.js 22', process.env.NODE_22_PATH, []],
  ['Node.js 24', process.env.NODE_24_PATH, []],
  ['Node.js 26', process.env.NODE_26_PATH, []],
]

describe.each(nodes)('the WebSocket of %s', (name, path, flags) => {
  /** Goes in one way, and answers what the client printed and how many handshakes the server has seen. */
  async function goIn(way: string, token: string, refuseBy?: 'status') {
    if (path === undefined) throw new Error(`Run npm test, which fetches ${name}, or name it in NODE_…_PATH`)
    const guard = createGuard({ ...allMethods(), ...(refuseBy && { refuseBy }) })
    const decide = vi.spyOn(guard, 'decide')
    const { url, idle } = await startServer(guard)
    const { stdout } = await promisify(execFile)(path, [...flags, script, client, url, way, token])
    await idle()
    expect(guard.connections.size).toBe(0)
    const printed = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
    // It decides on a first message as well.
    const handshakes = decide.mock.calls.filter(([{ message }]) => message === undefined).length
    return { printed, handshakes }
  }

  it.each(['ticket', 'header', 'first message', 'subprotocol'])('gets in by %s', async (way) => {
    const protocol = way === 'subprotocol' ? 'app.v1' : ''
    const { printed, handshakes } = await goIn(way, 'good-ada')
    expect(printed).toEqual([
      { message: 'hello ada', protocol },
      { message: 'anybody there?', protocol },
      { closed: 1000 },
    ])
    expect(handshakes).toBe(1)
  })

  it.each(['header', 'first message', 'subprotocol'])(
    'K21 is refused with a bad token by %s, in a way that it can read: it asks twice and stops',
    async (way) => {
      const { printed, handshakes } = await goIn(way, 'bad')
      expect(printed).toEqual([{ terminal: 'unauthenticated' }, { closed: 4001 }])
      expect(handshakes).toBe(2)
    },
  )

  it('is refused a ticket for a bad token, and never dials', async () => {
    const { printed, handshakes } = await goIn('ticket', 'bad')
    expect([printed, handshakes]).toEqual([[{ terminal: 'unauthenticated' }, { closed: 4001 }], 0])
  })

  // Had it to wait for each attempt's ten seconds, the test would run out of its own.
  it('K20 goes on at once after a refusal by status, which it cannot read', async () => {
    const { printed, handshakes } = await goIn('header, three times', 'bad', 'status')
    const hidden = { reconnecting: 'network', ambiguous: true }
    expect(printed).toEqual([hidden, hidden, hidden, { closed: 1005 }])
    // Some of them send a handshake twice that is answered with 401.
    expect([3, 6]).toContain(handshakes)
  })
})
