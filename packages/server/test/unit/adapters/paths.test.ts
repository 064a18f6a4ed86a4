import { createServer } from 'node:http'
import {
  ConfigurationError,
  createGuard,
  createRoutes,
  firstMessage,
  type GuardEvent,
  header,
  ticket,
  type Verifier,
} from '@sallyport/server'
import { testClock, testServer } from '@sallyport/server/testing'
import { guardServer } from '@sallyport/server/ws'
import { describe, expect, it } from 'vitest'
import { verifyGood } from '../../support/guard.js'
import { warningsOfTest } from '../../support/warnings.js'

const headers = { Authorization: 'Bearer good-ada' }

/** A server of rooms, and what its application has seen. */
function start(path: '/yjs/:room' | ((path: string) => { readonly room: string } | undefined)) {
  const clock = testClock()
  const guard = createGuard({ clock, accept: [ticket(), header({ verify: verifyGood })] })
  const seen: unknown[] = []
  const events: GuardEvent[] = []
  guard.subscribe((event) => events.push(event))
  const server = testServer(guard, (_, { path, params }) => void seen.push([path, params]), { clock, path })
  const status = (path: string, query = '') =>
    server.connect({ path, headers: query ? {} : headers, query }).then(
      () => 101,
      (error: { status: number }) => error.status,
    )
  const issue = async (path: string) => {
    const response = await server.fetch(`${path}/ticket`, { method: 'POST', headers })
    return response.status === 201 ? ((await response.json()) as { ticket: string }).ticket : response.status
  }
  return { guard, server, seen, events, status, issue }
}

describe('a route of several paths', () => {
  it('tells the handler the parameters', async () => {
    const { status, seen } = start('/yjs/:room')
    expect(await status('/yjs/plans')).toBe(101)
    expect(await status('/yjs/a%20b')).toBe(101)
    expect(seen).toEqual([
      ['/yjs/plans', { room: 'plans' }],
      ['/yjs/a%20b', { room: 'a b' }],
    ])
  })

  it.each(['/yjs', '/yjs/', '/yjs/a/b', '/other/a', '/yjs/%C3'])('does not have %s', async (path) => {
    const { status, seen } = start('/yjs/:room')
    expect(await status(path)).toBe(404)
    expect(seen).toEqual([])
  })

  it.each(['/yjs/%61', '/yjs/a%2Fb', '/yjs/..%2f', '/yjs//a'])('takes %s for no path', async (path) => {
    const { status, seen } = start('/yjs/:room')
    expect(await status(path)).toBe(400)
    expect(seen).toEqual([])
  })

  it('may be a function, which is asked about paths only', async () => {
    const asked: string[] = []
    const { status, seen } = start((path) => {
      asked.push(path)
      return path.startsWith('/r-') ? { room: path.slice(3) } : undefined
    })
    expect([await status('/r-1'), await status('/x'), await status('/r-%61')]).toEqual([101, 404, 400])
    expect(asked).toEqual(['/r-1', '/x'])
    expect(seen).toEqual([['/r-1', { room: '1' }]])
  })

  it('whose function throws refuses with 500, at the socket and at the routes, and tells of it', async () => {
    const error = new Error('no')
    const { status, events, server } = start(() => {
      throw error
    })
    expect(await status('/r-1')).toBe(500)
    expect((await server.fetch('/r-1/ticket', { method: 'POST', headers })).status).toBe(500)
    expect((await server.fetch('/r-1/other', { method: 'POST', headers })).status).toBe(404)
    expect(events).toMatchObject([
      { type: 'refused', reason: 'internal-error', path: '/r-1', error },
      { type: 'refused', reason: 'internal-error', path: '/r-1/ticket', error },
    ])
  })

  it('issues tickets that are good for one of them', async () => {
    const { issue, status } = start('/yjs/:room')
    expect(await status('/yjs/plans', `ticket=${await issue('/yjs/plans')}`)).toBe(101)
    expect(await status('/yjs/other', `ticket=${await issue('/yjs/plans')}`)).toBe(403)
    expect([await issue('/yjs'), await issue('/yjs/a/b')]).toEqual([404, 404])
  })

  it('tells a verifier of the parameters, also when it is asked about a connection later', async () => {
    const clock = testClock()
    const seen: unknown[] = []
    const verify: Verifier = (credential, context) => {
      seen.push(context.handshake.params)
      return verifyGood(credential, context)
    }
    const guard = createGuard({ clock, accept: [firstMessage({ verify })] })
    const client = await testServer(guard, () => {}, { clock, path: '/yjs/:room' }).connect({ path: '/yjs/plans' })
    for (const _ of [1, 2]) {
      client.send('{"type":"auth","token":"good-ada"}')
      expect(await client.receive()).toMatch('auth_ok')
    }
    expect(seen).toEqual([{ room: 'plans' }, { room: 'plans' }])
  })

  it('has its renewals behind each', async () => {
    const { server, status } = start('/yjs/:room')
    await status('/yjs/plans')
    const renewed = await server.fetch('/yjs/plans/renew', { method: 'POST', headers })
    expect(renewed.status).toBe(200)
  })
})

describe('two routes of a server', () => {
  const guardPaths = (...paths: string[]) => {
    const server = createServer()
    const guard = createGuard({ accept: [header({ verify: verifyGood })] })
    for (const path of paths) guardServer(server, guard, { path }, () => {})
  }

  it('may not be the same, nor may the first have all paths of the second', () => {
    expect(() => guardPaths('/ws', '/ws')).toThrow(ConfigurationError)
    expect(() => guardPaths('/:a', '/:b')).toThrow(/already guarded as \/:a/)
    expect(() => guardPaths('/yjs/:room', '/yjs/main')).toThrow(/already guarded as \/yjs\/:room/)
  })

  it('are told of when they have paths in common', async () => {
    const warnings = warningsOfTest()
    guardPaths('/yjs/main', '/yjs/:room', '/ws')
    expect(await warnings()).toEqual([
      expect.stringMatching(/^guardServer: \/yjs\/main and \/yjs\/:room have paths in common/),
    ])
  })

  it('are the routes of createRoutes too, which takes no path that is none', () => {
    const guard = createGuard({ accept: [header({ verify: verifyGood })] })
    expect(() => createRoutes(guard, { path: 'ws' })).toThrow(ConfigurationError)
  })
})
