import { once } from 'node:events'
import { encodeBearer } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { guardOfAll, origin } from '../support/guard.js'
import { rawHandshake, rawRequest } from '../support/raw.js'
import { startServer } from '../support/server.js'

const firstText = async (socket: WebSocket): Promise<string> => String((await once(socket, 'message'))[0])

describe('guardServer', () => {
  it('accepts by every method', async () => {
    const { url, port } = await startServer(guardOfAll())
    const headers = { Authorization: 'Bearer good-ada' }
    const issued = await fetch(`http://127.0.0.1:${port}/ws/ticket`, { method: 'POST', headers })
    expect(issued.status).toBe(201)
    const { ticket } = (await issued.json()) as { ticket: string }
    const sockets = [
      new WebSocket(`${url}?ticket=${ticket}`),
      new WebSocket(`${url}?token=good-ada`),
      new WebSocket(url, { headers }),
      new WebSocket(url, { origin, headers: { Cookie: 'session=good-ada' } }),
      new WebSocket(url, ['app.v1', encodeBearer('good-ada')]),
    ]
    for (const socket of sockets) expect(await firstText(socket)).toBe('hello ada')
    expect(sockets[4]?.protocol).toBe('app.v1')
    const first = new WebSocket(url)
    await once(first, 'open')
    first.send(JSON.stringify({ type: 'auth', token: 'good-ada' }))
    first.send('behind')
    const texts: string[] = []
    for await (const [data] of (await import('node:events')).on(first, 'message')) {
      texts.push(String(data))
      if (texts.length === 3) break
    }
    expect(JSON.parse(texts[0]!)).toMatchObject({ type: 'auth_ok', userId: 'ada', expiresIn: 60 })
    expect(texts.slice(1)).toEqual(['hello ada', 'behind'])
    for (const socket of [...sockets, first]) socket.close()
  })

  it('refuses without a credential', async () => {
    const { port } = await startServer(guardOfAll())
    const response = await rawRequest(port, rawHandshake('/ws', { Authorization: 'Bearer bad' }))
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
  })
})
