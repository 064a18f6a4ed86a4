import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { startChild } from '../support/child.js'
import { nextTurn } from '../support/deferred.js'
import { RawClient, rawFrame, rawHandshake } from '../support/raw.js'

/** What `ps` calls the state of a process: `T` when it is stopped. */
const stateOf = (pid: number): string =>
  execFileSync('ps', ['-o', 'state=', '-p', String(pid)])
    .toString()
    .trim()

async function start() {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const clockFile = join(folder, 'ahead')
  await writeFile(clockFile, '0')
  const child = await startChild(new URL('./server.ts', import.meta.url), { args: [clockFile] })
  const port = (await child.next()) as number
  const connect = async (id: string) => {
    const client = await RawClient.connect(port)
    client.write(rawHandshake('/ws', { Authorization: `Bearer good-${id}` }))
    expect((await client.head()).status).toBe(101)
    return client
  }
  const seen = async () => ((await child.ask('seen')) as { seen: string[] }).seen
  const pid = child.process.pid!
  /** Stops the process, runs `meanwhile`, and lets the process go on. */
  const suspend = async (meanwhile: () => Promise<void>) => {
    process.kill(pid, 'SIGSTOP')
    while (stateOf(pid) !== 'T') await nextTurn()
    await meanwhile()
    process.kill(pid, 'SIGCONT')
  }
  /** Lets time go on while the process does not see it. */
  const pass = (ms: number) => writeFile(clockFile, String(ms))
  return { child, connect, seen, suspend, pass }
}

/** Resolves when the kernel has taken the bytes; over the loopback, they are with the other side then. */
const deliver = (client: RawClient, data: Buffer) => new Promise((resolve) => client.socket.write(data, resolve))

it('F09 a message that came while the process was suspended, past the end of the credential, is not delivered', async () => {
  const { connect, seen, suspend, pass, child } = await start()
  const client = await connect('ada')
  client.write(rawFrame('before'))
  expect(await client.textsUntil(1)).toEqual(['echo before'])
  await suspend(async () => {
    await deliver(client, rawFrame('while it was stopped'))
    await pass(65_000)
  })
  expect(await client.closeFrame()).toEqual({ code: 4019, reason: 'Credential expired' })
  expect(client.texts()).toEqual(['echo before'])
  expect(await child.ask('state')).toEqual({ seen: ['handler ada', 'before'], connections: 0 })
  // The process serves on, by the time that it is now.
  const other = await connect('eve')
  other.write(rawFrame('after'))
  expect(await other.textsUntil(1)).toEqual(['echo after'])
  expect(await seen()).toEqual(['handler ada', 'before', 'handler eve', 'after'])
})

it('F09 a message that came while the process was suspended, before the end of the credential, is delivered', async () => {
  const { connect, seen, suspend, pass } = await start()
  const client = await connect('ada')
  await suspend(async () => {
    await deliver(client, rawFrame('while it was stopped'))
    await pass(50_000)
  })
  expect(await client.textsUntil(1)).toEqual(['echo while it was stopped'])
  expect(client.isClosed).toBe(false)
  expect(await seen()).toEqual(['handler ada', 'while it was stopped'])
})

it('F09 whoever was silent meanwhile is closed, too', async () => {
  const { connect, suspend, pass } = await start()
  const client = await connect('ada')
  await suspend(() => pass(65_000))
  expect((await client.closeFrame())?.code).toBe(4019)
})
