import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type ConnectionLife,
  cookie,
  createGuard,
  createRoutes,
  type GuardEvent,
  type Identity,
  type Verifier,
} from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import { onTestFinished, vi } from 'vitest'
import { Client } from './client.js'
import { testClock } from './clock.js'
import { nextTurn } from './deferred.js'
import { origin } from './guard.js'
import { echo } from './server.js'
import { unspread } from './unspread.js'

const second = 1_000
const minute = 60 * second

/** An application that signs people in by a library, and what verifies the cookie that the library writes. */
export interface Login<I extends Identity> {
  readonly handle: RequestListener
  /** The name of the cookie. */
  readonly name: string
  readonly verify: Verifier<I>
}

/**
 * Starts an application on a loopback port, with a guarded `/ws` beside it whose connections are rechecked every minute. Its
 * time moves when the test says so, for the library and for the guard alike; nothing else is replaced.
 */
export async function startLogin<I extends Identity>(
  make: (url: string) => Login<I> | Promise<Login<I>>,
  life: Partial<ConnectionLife> = {},
) {
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  const clock = testClock(Date.now())
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  const { handle, name, verify } = await make(url)
  /** What is being verified. */
  const asked = new Set<unknown>()
  const watched: Verifier<I> = (credential, context) => {
    const answer = verify(credential, context)
    asked.add(answer)
    return answer
  }
  const guard = createGuard({
    clock,
    random: unspread, // no recheck falls into the leeway of an end
    origins: [origin],
    accept: [cookie({ name, verify: watched })],
    life: { recheck: minute, heartbeat: 0, ...life },
  })
  const events: GuardEvent[] = []
  guard.subscribe((event) => events.push(event))
  const routes = createRoutes(guard, { path: '/ws' })
  server.on('request', async (request, response) => {
    if (!(await routes.node(request, response))) handle(request, response)
  })
  guardServer(server, guard, { path: '/ws' }, echo)

  return {
    url,
    guard,
    /** A browser: it keeps the cookies that it is sent. */
    browser: () => browser(url),
    /** Opens a socket with cookies, and awaits the greeting. */
    async connect(cookies: string, headers: Record<string, string> = {}, query = '') {
      const client = await Client.open(`ws://127.0.0.1:${port}/ws${query}`, {
        origin,
        headers: { cookie: cookies, ...headers },
      })
      return { client, greeting: await client.text() }
    },
    /** Opens a socket that is refused; why, and how it is told. */
    async refused(cookies: string, headers: Record<string, string> = {}) {
      const client = await Client.open(`ws://127.0.0.1:${port}/ws`, {
        origin,
        headers: { cookie: cookies, ...headers },
      })
      const { code } = await client.closed
      const event = events.findLast(({ type }) => type === 'refused')
      return { code, reason: event?.type === 'refused' ? event.reason : undefined }
    },
    /** Lets time pass, and every answer come. */
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= second) {
        vi.setSystemTime(Date.now() + Math.min(second, left))
        clock.advance(Math.min(second, left))
        await Promise.allSettled(asked)
        asked.clear()
        await nextTurn()
      }
    },
  }
}

/** A browser as far as cookies go. */
export interface Browser {
  /** What it would send as `Cookie`. */
  readonly cookies: string
  readonly jar: Map<string, string>
  fetch(path: string, init?: RequestInit): Promise<Response>
}

function browser(url: string): Browser {
  const jar = new Map<string, string>()
  return {
    jar,
    get cookies() {
      return [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    },
    async fetch(path, init = {}) {
      const headers = new Headers(init.headers)
      headers.set('cookie', this.cookies)
      const response = await fetch(url + path, { redirect: 'manual', ...init, headers })
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (/max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name)
        else jar.set(name, value)
      }
      return response
    },
  }
}
