import { request } from 'node:https'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { Client } from '../../../packages/server/test/support/client.js'
import { running } from './stock.js'

const example = running('https')
const origin = () => `https://localhost:${example().httpsPort}`

/** Calls a route through the proxy, whose certificate is its own. */
function call(path: string, headers: Record<string, string>, body: object = {}) {
  return new Promise<{ status: number; cookie: string; body: string }>((resolve, reject) => {
    const options = { method: 'POST', headers, rejectUnauthorized: false }
    request(`${origin()}${path}`, options, (response) => {
      const { statusCode: status = 0, headers } = response
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve({ status, cookie: headers['set-cookie']?.[0]?.split(';')[0] ?? '', body: text }))
    })
      .on('error', reject)
      .end(JSON.stringify(body))
  })
}

/** How a handshake through the proxy is answered. */
function knock(query: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`wss://localhost:${example().httpsPort}/ws${query}`, {
      headers,
      rejectUnauthorized: false,
    })
    socket.on('upgrade', () => resolve(101)).on('unexpected-response', (_, { statusCode }) => resolve(statusCode ?? 0))
    socket.on('open', () => socket.terminate()).on('error', () => {})
  })
}

it('lets in through nginx what comes over TLS', async () => {
  const { cookie } = await call('/login', {}, { user: 'ada' })
  const bought = await call('/ws/ticket', { Cookie: cookie, Origin: origin() })
  expect(bought.status).toBe(201)
  const { ticket } = JSON.parse(bought.body)
  const client = await Client.open(`wss://localhost:${example().httpsPort}/ws?ticket=${ticket}`, {
    headers: { Origin: origin() },
    rejectUnauthorized: false,
  })
  expect(JSON.parse(await client.text())).toEqual({ type: 'welcome', userId: 'ada', method: 'ticket' })
  client.send('hello')
  expect(JSON.parse(await client.text())).toEqual({ type: 'echo', data: 'hello' })
  await client.close()
})

it('D01 refuses the page of another host, and the same one without TLS', async () => {
  const { cookie } = await call('/login', {}, { user: 'ada' })
  expect(await knock('', { Cookie: cookie, Origin: origin() })).toBe(101)
  expect(await knock('', { Cookie: cookie, Origin: origin().replace('https', 'http') })).toBe(403)
  expect(await knock('', { Cookie: cookie, Origin: 'https://evil.example' })).toBe(403)
})
