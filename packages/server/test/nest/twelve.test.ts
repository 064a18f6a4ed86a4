import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { io } from 'socket.io-client'
import { expect, it, onTestFinished } from 'vitest'
import { installProject } from '../../../../scripts/install-project.mjs'
import { adapterContract } from '../contract/adapter.js'
import { Client } from '../support/client.js'
import { rawFrame, rawOpen } from '../support/raw.js'

const folder = fileURLToPath(new URL('twelve', import.meta.url))
const source = (path: string) => fileURLToPath(new URL(`../../src/${path}`, import.meta.url))
const ada = { Authorization: 'Bearer good-ada' }

/** Bundles a file of these tests into the folder: what is there finds that version of Nest. Answers where it is. */
async function bundled(name: string): Promise<string> {
  const outfile = `${folder}/node_modules/.cache/${name}.mjs`
  await build({
    entryPoints: [fileURLToPath(new URL(`${name}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
    external: ['@nestjs/*', 'reflect-metadata', 'rxjs', 'ws', 'socket.io', 'vitest'],
    alias: {
      '@sallyport/protocol': source('../../protocol/src/index.ts'),
      '@sallyport/server/nest-socket-io': source('adapters/nest/guarded-io-adapter.ts'),
      '@sallyport/server/nest': source('adapters/nest/guarded-ws-adapter.ts'),
      '@sallyport/server': source('index.ts'),
    },
  })
  return outfile
}

await installProject(folder)
const server = await bundled('server')
const { gatewayFor, startNest } = (await import(await bundled('application'))) as typeof import('./application.js')

adapterContract('NestJS 12', (guard, onConnection) => startNest(guard, [gatewayFor(guard, onConnection)]), {
  failure: 'goes on',
  waits: false,
})

async function start(kind: 'ws' | 'socket.io') {
  const child = fork(server, [kind], { execArgv: [] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [port] = await once(child, 'message')
  const tell = async (what: string) => {
    const done = once(child, 'message')
    child.send(what)
    await done
  }
  return { port: port as number, tell }
}

it('NestJS 12: guards gateways on ws', async () => {
  const { port, tell } = await start('ws')
  const url = `ws://127.0.0.1:${port}/ws`
  expect((await rawOpen(port, '/ws', { Authorization: 'Bearer bad' })).head.status).toBe(401)
  const issued = await fetch(`http://127.0.0.1:${port}/ws/ticket`, { method: 'POST', headers: ada })
  const { ticket } = (await issued.json()) as { ticket: string }
  const client = await Client.open(`${url}?ticket=${ticket}`)
  expect(await client.text()).toBe('hello ada')
  client.send('{"event":"say","data":"hello"}')
  expect(JSON.parse(await client.text())).toEqual({ event: 'said', data: 'ada: hello' })
  const { client: first } = await rawOpen(port, '/ws')
  first.write(
    Buffer.concat(['{"type":"auth","token":"good-eve"}', '{"event":"say","data":"hi"}'].map((t) => rawFrame(t))),
  )
  expect((await first.textsUntil(3)).slice(1)).toEqual(['hello eve', '{"event":"said","data":"eve: hi"}'])
  await tell('ada')
  expect(await client.closed).toEqual({ code: 4010, reason: 'Revoked' })
  first.write(rawFrame('{"event":"say","data":"control"}'))
  expect((await first.textsUntil(4))[3]).toContain('eve: control')
  const closed = tell('close')
  expect(await first.closeFrame()).toEqual({ code: 1012, reason: 'Service restart' })
  first.destroy()
  await closed
})

it('NestJS 12: guards gateways on Socket.IO', async () => {
  const { port, tell } = await start('socket.io')
  const open = (token: string) => {
    const socket = io(`http://127.0.0.1:${port}`, { path: '/ws', auth: { token }, reconnection: false, forceNew: true })
    onTestFinished(() => void socket.disconnect())
    return socket
  }
  const next = (socket: ReturnType<typeof open>, event: string) => new Promise((resolve) => socket.once(event, resolve))
  expect(await next(open('bad'), 'connect_error')).toMatchObject({ data: { code: 4001 } })
  const socket = open('good-ada')
  const said = next(socket, 'said')
  socket.emit('say', 'hello')
  expect(await said).toBe('ada: hello')
  const gone = next(socket, 'disconnect')
  await tell('ada')
  await gone
})
