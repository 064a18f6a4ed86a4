import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGuard, header } from '@sallyport/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Client } from '../support/client.js'
import { nextTurn } from '../support/deferred.js'
import { freePort } from '../support/free-port.js'
import { verifyGood } from '../support/guard.js'
import { startServer } from '../support/server.js'

const idleLimit = 3_000
const page = new URL('../../../../docs/proxies.md', import.meta.url)

/** Where a proxy listens, what it stands before, and a folder for what it writes. */
interface Place {
  readonly listen: number
  readonly upstream: number
  readonly folder: string
}

/** A proxy that the page sets up. */
interface Proxy {
  readonly name: string
  /** Begins the block of the page. */
  readonly block: string
  /** The file that the proxy reads: the block, with the ports and the idle limit of the test. */
  readonly configure: (block: string, place: Place) => string
  readonly command: (file: string, folder: string) => readonly [program: string, ...args: string[]]
}

const upstreamOfPage = '127.0.0.1:3000'

const nginx: Proxy = {
  name: 'nginx',
  block: 'nginx\nlocation /ws {',
  configure(block, { listen, upstream, folder }) {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    const location = put(
      block,
      `proxy_pass http://${upstreamOfPage};`,
      `proxy_pass http://127.0.0.1:${upstream}; proxy_read_timeout ${idleLimit}ms;`,
    )
    return `
      daemon off; pid ${folder}/pid; error_log stderr; worker_processes 1; ${process.getuid?.() === 0 ? 'user root;' : ''}
      events {}
      http {
        access_log off; ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
        server {
          listen 127.0.0.1:${listen};
          ${location}
        }
      }`
  },
  command: (file, folder) => [process.env.NGINX_PATH ?? 'nginx', '-p', folder, '-c', file],
}

const haproxy: Proxy = {
  name: 'HAProxy',
  block: '\ndefaults',
  configure(block, { listen, upstream }) {
    const bound = put(put(block, 'bind :80\n', `bind 127.0.0.1:${listen}\n`), upstreamOfPage, `127.0.0.1:${upstream}`)
    return put(bound, 'timeout tunnel 1h', `timeout tunnel ${idleLimit}ms`)
  },
  command: (file) => [process.env.HAPROXY_PATH ?? 'haproxy', '-db', '-f', file],
}

const caddy: Proxy = {
  name: 'Caddy',
  block: '\nexample.com {',
  configure(block, { listen, upstream, folder }) {
    const site = put(put(block, 'example.com', `http://127.0.0.1:${listen}`), upstreamOfPage, `127.0.0.1:${upstream}`)
    return `{\n  admin off\n  storage file_system ${folder}\n}\n${site}\n`
  },
  command: (file) => [process.env.CADDY_PATH ?? 'caddy', 'run', '--adapter', 'caddyfile', '--config', file],
}

/** Puts one text in the place of another, which must be there. */
function put(text: string, old: string, other: string): string {
  expect(text).toContain(old)
  return text.replace(old, other)
}

/** A block of code of the page. */
async function blockOf({ block }: Proxy): Promise<string> {
  const text = await readFile(page, 'utf8')
  const start = text.indexOf(`\`\`\`${block}`)
  expect(start).toBeGreaterThan(-1)
  const from = text.indexOf('\n', start) + 1
  return text.slice(from, text.indexOf('```', from))
}

/** Runs a proxy of the machine in front of a server, as our page says, with an idle limit of seconds. */
async function proxyTo(upstream: number, proxy: Proxy): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-proxy-'))
  const listen = await freePort()
  const file = join(folder, 'config')
  await writeFile(file, proxy.configure(await blockOf(proxy), { listen, upstream, folder }))
  const [program, ...args] = proxy.command(file, folder)
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const ended = once(child, 'close')
  let isOver = false
  ended.then(() => {
    isOver = true
  })
  onTestFinished(async () => {
    child.kill()
    await ended
    await rm(folder, { recursive: true })
  })
  const answers = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(listen, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
      socket.on('connect', () => socket.destroy())
    })
  while (!(await answers())) {
    if (isOver) throw new Error(`${proxy.name} has ended: ${said}`)
    await nextTurn()
  }
  return listen
}

/** A connection through a proxy, and the address that the guard has read. */
async function open(proxy: Proxy, heartbeat: number) {
  const guard = createGuard({
    accept: [header({ verify: verifyGood })],
    life: { heartbeat },
    trustedProxies: ['127.0.0.1'],
  })
  const accepted = new Promise<string>((resolve) => {
    guard.subscribe((event) => {
      if (event.type === 'accepted') resolve(event.connection.address)
    })
  })
  const { port } = await startServer(guard)
  const client = await Client.open(`ws://127.0.0.1:${await proxyTo(port, proxy)}/ws`, {
    headers: { Authorization: 'Bearer good-ada', 'X-Forwarded-For': '203.0.113.7' },
  })
  expect(await client.text()).toBe('hello ada')
  return { client, address: await accepted }
}

/** Resolves when as many pings have come. */
function pings(client: Client, count: number): Promise<void> {
  let heard = 0
  return new Promise((resolve) => {
    client.socket.on('ping', () => {
      heard += 1
      if (heard === count) resolve()
    })
  })
}

async function expectEcho(client: Client): Promise<void> {
  client.send('still here')
  expect(await client.text()).toBe('still here')
}

describe.each([nginx, haproxy])('$name, set up as the page says', (proxy) => {
  it('ends a quiet connection without a heartbeat, and not one with it', async () => {
    const [{ client: quiet }, { client: alive }] = await Promise.all([open(proxy, 0), open(proxy, 1_000)])
    // Longer than the proxy would wait.
    const pinged = pings(alive, 4)
    expect((await quiet.closed).code).toBe(1006)
    await pinged
    await expectEcho(alive)
  })

  it('forwards the address of who comes to it, who is a proxy here', async () => {
    expect((await open(proxy, 0)).address).toBe('203.0.113.7')
  })
})

describe('Caddy, set up as the page says', () => {
  it('passes the connection and its heartbeat on', async () => {
    const { client } = await open(caddy, 1_000)
    await pings(client, 2)
    await expectEcho(client)
  })

  it('believes no address that comes to it, unless it is told to', async () => {
    expect((await open(caddy, 0)).address).toBe('127.0.0.1')
  })
})
