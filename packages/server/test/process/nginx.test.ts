import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGuard, header } from '@sallyport/server'
import { expect, it, onTestFinished } from 'vitest'
import { Client } from '../support/client.js'
import { nextTurn } from '../support/deferred.js'
import { freePort } from '../support/free-port.js'
import { verifyGood } from '../support/guard.js'
import { startServer } from '../support/server.js'

const idleLimit = 3_000
const page = new URL('../../../../docs/proxies.md', import.meta.url)

/** The location of the page about proxies, in front of that port and with a short idle limit. */
async function locationFor(port: number): Promise<string> {
  const [, block = ''] = /```nginx\n(location \/ws \{.*?\})\n```/s.exec(await readFile(page, 'utf8')) ?? []
  const upstream = 'proxy_pass http://127.0.0.1:3000;'
  expect(block).toContain(upstream)
  return block.replace(upstream, `proxy_pass http://127.0.0.1:${port}; proxy_read_timeout ${idleLimit}ms;`)
}

/** The nginx of the machine in front of a server, as our page says, with an idle limit of seconds. */
async function proxyTo(port: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-nginx-'))
  const listen = await freePort()
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const config = `
    daemon off; pid ${folder}/pid; error_log stderr; worker_processes 1; ${process.getuid?.() === 0 ? 'user root;' : ''}
    events {}
    http {
      access_log off; ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
      server {
        listen 127.0.0.1:${listen};
        ${await locationFor(port)}
      }
    }`
  await writeFile(join(folder, 'nginx.conf'), config)
  const nginx = spawn(process.env.NGINX_PATH ?? 'nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    stdio: 'ignore',
  })
  const ended = once(nginx, 'exit')
  onTestFinished(async () => {
    nginx.kill()
    await ended
    await rm(folder, { recursive: true })
  })
  const answers = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(listen, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
      socket.on('connect', () => socket.destroy())
    })
  while (!(await answers())) await nextTurn()
  return listen
}

async function open(heartbeat: number) {
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
  const client = await Client.open(`ws://127.0.0.1:${await proxyTo(port)}/ws`, {
    headers: { Authorization: 'Bearer good-ada', 'X-Forwarded-For': '203.0.113.7' },
  })
  expect(await client.text()).toBe('hello ada')
  // nginx has written its peer behind what came, and that peer is a proxy here.
  expect(await accepted).toBe('203.0.113.7')
  return client
}

it('nginx ends a quiet connection without a heartbeat, and not one with it', async () => {
  const [quiet, alive] = await Promise.all([open(0), open(1_000)])
  let pings = 0
  const pinged = new Promise<void>((resolve) => {
    alive.socket.on('ping', () => {
      pings += 1
      if (pings === 4) resolve()
    })
  })
  expect((await quiet.closed).code).toBe(1006)
  // Longer than nginx would wait.
  await pinged
  alive.send('still here')
  expect(await alive.text()).toBe('still here')
})
