import { readFileSync } from 'node:fs'
import { expect, it, onTestFinished } from 'vitest'
import { grace } from '../../src/limits/lingering.js'
import { startChild } from '../support/child.js'
import { rawOpen } from '../support/raw.js'
import { startRedis } from '../support/redis.js'

async function start(version: string) {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const child = await startChild(new URL('./going-down.ts', import.meta.url), { args: [version, String(redis.port)] })
  const port = (await child.next()) as number
  const { client } = await rawOpen(port, '/ws', { Authorization: 'Bearer ada' })
  expect(await client.textsUntil(1)).toEqual(['hello ada'])
  onTestFinished(() => client.destroy())
  return { redis, child, client }
}

it.each(['5', '6'])('A36 a node with ioredis %s ends by itself on SIGTERM, its connections first', async (version) => {
  const { child, client } = await start(version)
  child.process.kill('SIGTERM')
  expect(await client.closeFrame()).toEqual({ code: 1012, reason: 'Service restart' })
  expect(await child.ended).toEqual({ code: 0, stderr: expect.not.stringContaining('Error') })
})

it.each(['5', '6'])('A36 a node with ioredis %s ends on SIGTERM while Redis does not answer', async (version) => {
  const { redis, child, client } = await start(version)
  redis.signal('SIGSTOP')
  onTestFinished(() => redis.signal('SIGCONT'))
  child.process.kill('SIGTERM')
  expect(await client.closeFrame()).toEqual({ code: 1012, reason: 'Service restart' })
  expect(await child.ended).toEqual({ code: 0, stderr: expect.not.stringContaining('Error') })
})

it('the page about shutdown gives a pod the time that its handler takes, and asks where it answers', () => {
  const page = readFileSync(new URL('../../../../docs/shutdown.md', import.meta.url), 'utf8')
  const found = (pattern: RegExp) => pattern.exec(page)?.[1]?.replace('_', '') ?? `${pattern}`
  const preStop = Number(found(/preStop: \{ exec: \{ command: \[sleep, '(\d+)'\] \} \}/))
  const within = Number(found(/guard\.drain\(\{ within: ([\d_]+) \}\)/)) / 1_000
  const period = Number(found(/terminationGracePeriodSeconds: (\d+) # preStop 5, drain 20, and ten to spare/))
  expect({ preStop, within, period }).toEqual({ preStop: 5, within: 20, period: 35 })
  // The last peer may not answer its Close.
  expect(preStop + within + grace / 1_000).toBeLessThan(period)
  expect(found(/httpGet: \{ path: (\S+), port: 8080 \}/)).toBe(found(/request\.url !== '(\S+)'/))
  expect(found(/server\.listen\((\d+)\)/)).toBe(found(/containerPort: (\d+)/))
})
