import { expect, it } from 'vitest'
import { Client } from '../../../packages/server/test/support/client.js'
import { knock, signIn } from '../visitor.js'
import { ways } from '../ways.js'
import { running } from './stock.js'

const example = running('vite')

it('serves its page, and its hot reload beside the guarded route', async () => {
  const page = await fetch(`${example().origin}/`)
  expect(await page.text()).toContain('/@vite/client')
  const script = await (await fetch(`${example().origin}/@vite/client`)).text()
  const [, token] = /wsToken = "([\w-]+)"/.exec(script) ?? []
  const reload = await Client.open(`ws://127.0.0.1:${example().port}/?token=${token}`, { protocols: ['vite-hmr'] })
  expect(JSON.parse(await reload.text())).toEqual({ type: 'connected' })
  await reload.close()
})

it('never sees the upgrades of the guarded route, whatever they offer', async () => {
  expect((await knock(example(), '?ticket=none', { 'Sec-WebSocket-Protocol': 'vite-hmr' })).status).toBe(401)
  expect((await ways.header!(example(), await signIn(example()))).status).toBe(101)
})
