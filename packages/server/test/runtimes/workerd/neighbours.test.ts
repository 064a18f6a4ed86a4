import { once } from 'node:events'
import { createClient, type Client as GraphqlClient } from 'graphql-ws'
import { PartySocket } from 'partysocket'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { Client } from '../../support/client.js'
import { deferred } from '../../support/deferred.js'
import { rawOpen } from '../../support/raw.js'
import { startWorkerd, type Workerd } from '../../support/workerd.js'

let workerd: Workerd

beforeAll(async () => {
  const objects = { STORE: 'Sallyport', CHAT: 'Chat' }
  workerd = await startWorkerd(new URL('neighbours-worker.ts', import.meta.url), objects)
})
afterAll(() => workerd.stop())

const url = (path: string) => `http://127.0.0.1:${workerd.port}${path}`
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })
const revoke = (user: string) => fetch(url(`/?revoke=${user}`))
/** What partyserver and graphql-ws were told of who connects, since that was asked last. */
const told = async () => (await (await fetch(url('/told'))).json()) as string[]
const ticketOf = async (path: string, token: string) => {
  const response = await fetch(url(`${path}/ticket`), { method: 'POST', headers: bearer(token) })
  return ((await response.json()) as { ticket?: string }).ticket ?? 'none'
}

describe('an application of Hono in front of guardWorkers', () => {
  const open = (path: string, token?: string) =>
    Client.open(`ws://127.0.0.1:${workerd.port}${path}`, token ? { headers: bearer(token) } : {})

  it('lets in by ticket and by header, and keeps its own routes', async () => {
    const byTicket = await open(`/ws?ticket=${await ticketOf('/ws', 'good-ada')}`)
    expect(await byTicket.text()).toBe('hello ada')
    byTicket.send('grüße')
    expect(await byTicket.text()).toBe('grüße')
    expect(await (await open('/ws', 'good-eve')).text()).toBe('hello eve')
    expect(await (await fetch(url('/hello'))).text()).toBe('hello')
    expect(await (await open('/headers/ws', 'good-ada')).text()).toBe('hello ada')
    const theirs = await open('/theirs')
    theirs.send('hello')
    expect(await theirs.text()).toBe('theirs hello')
  })

  it('refuses', async () => {
    expect((await rawOpen(workerd.port, '/ws', bearer('bad'))).head.status).toBe(401)
    expect((await rawOpen(workerd.port, '/ws?ticket=none')).head.status).toBe(401)
    expect((await fetch(url('/ws/ticket'), { method: 'POST' })).status).toBe(401)
  })

  it('renews over HTTP, and closes what has ended', async () => {
    const [renewed, ended] = [await open('/ws', 'good-kim-2'), await open('/ws', 'good-lea-2')]
    expect([await renewed.text(), await ended.text()]).toEqual(['hello kim', 'hello lea'])
    const renewal = await fetch(url('/ws/renew'), { method: 'POST', headers: bearer('good-kim-600') })
    expect(renewal.status).toBe(200)
    expect(await ended.closed).toMatchObject({ code: 4019 })
    renewed.send('still here')
    expect(await renewed.text()).toBe('still here')
  })

  it('closes who is revoked', async () => {
    const client = await open('/ws', 'good-may')
    expect(await client.text()).toBe('hello may')
    await revoke('may')
    expect(await client.closed).toMatchObject({ code: 4010 })
  })
})

describe('graphql-ws in a Worker, with the credential in connection_init', () => {
  /** Its own client. */
  function open(token: () => string) {
    const stopped = deferred()
    const closed: number[] = []
    const client = createClient({
      url: `ws://127.0.0.1:${workerd.port}/graphql`,
      webSocketImpl: WebSocket,
      lazy: false,
      retryWait: async () => {},
      connectionParams: () => ({ lang: 'en', token: token() }),
      onNonLazyError: () => stopped.resolve(),
      on: { closed: (event) => void closed.push((event as { code: number }).code) },
    })
    onTestFinished(() => void client.dispose())
    return { client, stopped: stopped.promise, closed }
  }

  async function me(client: GraphqlClient): Promise<unknown> {
    for await (const { data } of client.iterate({ query: '{ me }' })) return data?.me
    return undefined
  }

  it('lets in; the server sees the other parameters alone', async () => {
    await told()
    expect(await me(open(() => 'good-ada').client)).toBe('ada')
    expect(await told()).toEqual(['{"lang":"en"}'])
  })

  it('refuses, and the client stops', async () => {
    await told()
    const { stopped, closed } = open(() => 'bad')
    await stopped
    expect([closed, await told()]).toEqual([[4401], []])
  })

  it('renews over HTTP, and closes what has ended: its client comes again with another token', async () => {
    let life = 2
    const [renewed, ended] = [open(() => 'good-nia-2'), open(() => `good-oda-${life}`)]
    expect([await me(renewed.client), await me(ended.client)]).toEqual(['nia', 'oda'])
    life = 600
    const renewal = await fetch(url('/graphql/renew'), { method: 'POST', headers: bearer('good-nia-600') })
    expect(renewal.status).toBe(200)
    await new Promise((resolve) => ended.client.on('closed', resolve))
    expect([await me(renewed.client), await me(ended.client)]).toEqual(['nia', 'oda'])
    expect([renewed.closed, ended.closed]).toEqual([[], [4403]])
  })

  it('closes who is revoked, and the client stops', async () => {
    const { client, stopped, closed } = open(() => 'good-pia')
    expect(await me(client)).toBe('pia')
    await revoke('pia')
    await stopped
    expect(closed).toEqual([4401])
  })
})

describe('partyserver behind onBeforeConnect', () => {
  const path = '/parties/chat/plans'

  /** Its own client, whose ticket is fetched anew for each attempt. */
  function open(token: () => string) {
    const closed: number[] = []
    const socket = new PartySocket({
      host: `127.0.0.1:${workerd.port}`,
      party: 'chat',
      room: 'plans',
      WebSocket,
      minReconnectionDelay: 1,
      maxReconnectionDelay: 10,
      query: async () => ({ ticket: await ticketOf(path, token()) }),
    })
    socket.addEventListener('close', ({ code }) => closed.push(code))
    onTestFinished(() => socket.close())
    const next = async (event: 'message' | 'close' | 'error') => once(socket, event)
    return { socket, next, closed }
  }
  const textOf = ([event]: { data?: unknown }[]) => String(event?.data)

  it('lets its client in by ticket, and tells the party who it is', async () => {
    await told()
    const { socket, next } = open(() => 'good-j%C3%BCrgen-600')
    expect(textOf(await next('message'))).toBe('hello jürgen')
    socket.send('hello')
    expect(textOf(await next('message'))).toBe('jürgen said hello')
    expect(await told()).toHaveLength(1)
  })

  it('refuses, and the party does not hear of it', async () => {
    await told()
    const { next } = open(() => 'bad')
    await next('error')
    await next('error')
    expect((await rawOpen(workerd.port, path, bearer('bad'))).head.status).toBe(401)
    expect((await rawOpen(workerd.port, path, {})).head.status).toBe(401)
    expect((await rawOpen(workerd.port, path, bearer('down'))).head.status).toBe(503)
    expect(await told()).toEqual([])
  })

  it('J52 believes no header of a client', async () => {
    await told()
    const { client, head } = await rawOpen(workerd.port, path, {
      ...bearer('good-ada'),
      'X-Sallyport-Identity': '{"id":"root"}',
      'X-Sallyport-Expires': '9999999999999',
      'X-PartyKit-Props': '{"role":"root"}',
      'X-PartyKit-Room': 'secret',
    })
    expect([head.status, await client.textsUntil(1)]).toEqual([101, ['hello ada']])
    const seen = (await told()).join()
    expect(seen).toContain('ada')
    expect(seen).not.toMatch(/root|secret|9999999999999/)
  })

  it('closes what has ended by a line of yours, and its client comes again with another ticket', async () => {
    let life = 2
    const { next, closed } = open(() => `good-ivy-${life}`)
    expect(textOf(await next('message'))).toBe('hello ivy')
    life = 600
    expect(textOf(await next('message'))).toBe('hello ivy')
    expect(closed).toEqual([4019])
  })

  it('closes who is revoked by a line of yours, and lets nobody in with what was issued before', async () => {
    const ticket = await ticketOf(path, 'good-hal')
    const { next, closed } = open(() => 'good-hal')
    expect(textOf(await next('message'))).toBe('hello hal')
    const end = next('close')
    await revoke('hal')
    await end
    expect(closed[0]).toBe(4010)
    expect((await rawOpen(workerd.port, `${path}?ticket=${ticket}`)).head.status).toBe(401)
  })
})
