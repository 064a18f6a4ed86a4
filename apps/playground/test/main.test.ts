import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildPage, temporaryDirectory } from './support/page.js'
import { send, signIn } from './support/playground.js'
import { enter, knock } from './support/socket.js'

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let programme: string

// The programme as it is started, from the sources: bundled, with the page beside it.
beforeAll(async () => {
  directory = await temporaryDirectory()
  programme = join(directory.path, 'main.mjs')
  await buildPage(join(directory.path, 'page'))
  await build({
    entryPoints: [source('../src/main.ts')],
    outfile: programme,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // ws is CommonJS and asks for modules of Node.js.
    banner: { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);` },
    alias: {
      '@sallyport/server/jwt': source('../../../packages/server/src/verifiers/tokens.ts'),
      '@sallyport/server/redis': source('../../../packages/server/src/stores/redis/store.ts'),
      '@sallyport/server/ws': source('../../../packages/server/src/adapters/ws/guard-server.ts'),
      '@sallyport/server': source('../../../packages/server/src/index.ts'),
      '@sallyport/protocol': source('../../../packages/protocol/src/index.ts'),
    },
  })
})
afterAll(() => directory.remove())

function run(env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [programme], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  return child
}

/** How it ended, and what it said. */
async function outcome(child: ReturnType<typeof run>) {
  const said = Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await once(child, 'exit')
  const [stdout, stderr] = await said
  return { code, stdout, stderr }
}

async function started(child: ReturnType<typeof run>): Promise<string> {
  const [line] = await once(createInterface(child.stdout), 'line')
  return line.replace('Sallyport playground: ', '')
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  child.kill(signal)
  const [code] = await once(child, 'exit')
  return code
}

const restart = { code: 1012, reason: 'Service restart' }
const crowdSize = 20

/** So many come in that their leaving takes its time. */
async function crowd(child: ReturnType<typeof run>) {
  const url = await started(child)
  const { token } = await signIn({ url })
  const headers = { authorization: `Bearer ${token}` }
  const clients = await Promise.all(Array.from({ length: crowdSize }, () => enter(`${url}/ws`, { headers })))
  return { url, headers, clients }
}

describe('main', () => {
  it('prints its URL when it is ready', async () => {
    const child = run({ PORT: '0' })
    const url = await started(child)
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect((await send(`${url}/`)).body).toContain('<title>Sallyport playground</title>')
    await stop(child, 'SIGTERM')
  })

  it('SIGINT closes it quickly, whoever stands inside or between', async () => {
    const child = run({ PORT: '0' })
    const url = await started(child)
    const { token } = await signIn({ url })
    const inside = await enter(`${url}/ws`, { headers: { authorization: `Bearer ${token}` } })
    const between = await enter(`${url}/ws`)
    const watching = await fetch(`${url}/connections`)
    const [code, closed] = await Promise.all([stop(child, 'SIGINT'), inside.closed, between.closed, watching.text()])
    expect(code).toBe(0)
    expect(closed).toEqual({ code: 1001, reason: 'Going away' })
  })

  it('SIGTERM closes it cleanly, whoever stands inside or between', async () => {
    const child = run({ PORT: '0' })
    const url = await started(child)
    const { token } = await signIn({ url })
    const inside = await enter(`${url}/ws`, { headers: { authorization: `Bearer ${token}` } })
    const between = await enter(`${url}/ws`)
    const watching = await fetch(`${url}/connections`)
    const [code, closed] = await Promise.all([stop(child, 'SIGTERM'), inside.closed, between.closed, watching.text()])
    expect(code).toBe(0)
    expect(closed).toEqual(restart)
  })

  it('I17 SIGTERM lets the connections go one after the other, and answers everything else meanwhile', async () => {
    const child = run({ PORT: '0' })
    const { url, headers, clients } = await crowd(child)
    const exit = once(child, 'exit')
    expect((await send(`${url}/ws/ticket`, { method: 'POST', headers })).status).toBe(201)
    child.kill('SIGTERM')

    const ask = async () => [await knock(`${url}/ws`, { headers }), (await send(`${url}/health`)).status]
    const meanwhile = clients.map(async ({ closed }) => {
      expect(await closed).toEqual(restart)
      // Once the last has gone the house is shut, and we may be slow to hear of them.
      return ask().catch((error: NodeJS.ErrnoException) => error.code)
    })
    const answers = await Promise.all(meanwhile)
    const isShut = (answer: unknown) => answer === 'ECONNREFUSED' || answer === 'ECONNRESET'
    const given = answers.filter((answer) => !isShut(answer))
    expect(given).toEqual(given.map(() => [{ status: 503 }, 503]))
    expect(given.length).toBeGreaterThan(0)
    expect(await exit).toEqual([0, null])
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('%s during that closes it quickly', async (signal) => {
    const child = run({ PORT: '0' })
    const { clients } = await crowd(child)
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    expect(await Promise.race(clients.map(({ closed }) => closed))).toEqual(restart)
    child.kill(signal)
    const codes = await Promise.all(clients.map(async ({ closed }) => (await closed).code))
    expect(codes).toContain(1001)
    expect(await exit).toEqual([0, null])
  })

  it('takes the secret for its tokens', async () => {
    const JWT_SECRET = 'x'.repeat(32)
    const [one, two, stranger] = [run({ PORT: '0', JWT_SECRET }), run({ PORT: '0', JWT_SECRET }), run({ PORT: '0' })]
    const [url, sameSecret, otherSecret] = await Promise.all([started(one), started(two), started(stranger)])
    const { token } = await signIn({ url })
    const headers = { authorization: `Bearer ${token}` }
    const client = await enter(`${sameSecret}/ws`, { headers })
    client.close()
    expect(await knock(`${otherSecret}/ws`, { headers })).toEqual({ status: 401 })
    await Promise.all([one, two, stranger].map((child) => stop(child, 'SIGTERM')))
  })

  it('refuses a secret that is too short', async () => {
    const { code, stdout, stderr } = await outcome(run({ PORT: '0', JWT_SECRET: 'short-secret' }))
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^JWT_SECRET must have at least 32 bytes; it has 12\./)
    expect(stderr).not.toContain('short-secret')
  })

  it('refuses a bad port', async () => {
    const { code, stderr } = await outcome(run({ PORT: 'eighty' }))
    expect(code).toBe(1)
    expect(stderr).toMatch(/^PORT must be a number from 0 to 65535.*"eighty"/)
  })

  it('says that the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const { code, stderr } = await outcome(run({ PORT: String(port) }))
    expect([code, stderr]).toEqual([1, 'The port is taken. Choose another: PORT=8081 npm start\n'])
    other.close()
  })

  it('says that the address is not this computer’s', async () => {
    const { code, stderr } = await outcome(run({ PORT: '0', HOST: '192.0.2.1' }))
    expect(code).toBe(1)
    expect(stderr).toMatch(/^HOST is no address of this computer/)
  })
})
