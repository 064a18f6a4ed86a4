import { expect, it } from 'vitest'
import { Client } from '../../../packages/server/test/support/client.js'
import { knock, signIn } from '../visitor.js'
import { ways } from '../ways.js'
import { plain } from '../words/plain.js'
import { running } from './stock.js'

const example = running('next', { NEXT_DIST_DIR: '.next/test', NEXT_TELEMETRY_DISABLED: '1' })

it('owns its path against a page that is there for every path', { timeout: 60_000 }, async () => {
  // From its first request on, Next ends the upgrades to its pages.
  const page = await fetch(`${example().origin}/any/path`)
  expect(await page.text()).toContain('any/path')
  const { client, status } = await ways.header!(example(), await signIn(example()))
  expect(status).toBe(101)
  expect(await plain.echo(client, 'hello')).toBe('hello')
  expect((await knock(example(), '?ticket=none')).status).toBe(401)
  client.destroy()
})

it('keeps the socket of its hot reload beside the guarded route', { timeout: 60_000 }, async () => {
  await fetch(`${example().origin}/any/path`)
  const reload = await Client.open(`ws://127.0.0.1:${example().port}/_next/hmr?id=test`)
  expect((await reload.next()).length).toBeGreaterThan(0)
  await reload.close()
})

it('F03 ends connections from a route handler, which asks for the guard of the server', {
  timeout: 60_000,
}, async () => {
  const [eve, ada] = await Promise.all([signIn(example(), 'eve'), signIn(example(), 'ada')])
  const [gone, stays] = [await ways.header!(example(), eve), await ways.header!(example(), ada)]
  await Promise.all([plain.welcome(gone.client, 'eve'), plain.welcome(stays.client, 'ada')])
  const banned = await fetch(`${example().origin}/ban`, { method: 'POST', body: JSON.stringify({ user: 'eve' }) })
  expect(banned.status).toBe(204)
  expect(await gone.client.closeFrame()).toEqual({ code: 4010, reason: 'Revoked' })
  expect(await plain.echo(stays.client, 'still here')).toBe('still here')
  stays.client.destroy()
})
