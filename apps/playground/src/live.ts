import type { ServerResponse } from 'node:http'
import type { Guard } from '@sallyport/server'
import type { Handler } from './http.js'
import { requireLocal } from './local.js'

/** The table of live connections, for pages that watch it. */
export interface LiveTable {
  /** `GET /connections`: the whole table as a Server-Sent Event, at once and on every change. */
  readonly handler: Handler
  /** Ends every watcher's response. */
  close(): void
}

/** Watches the connections of a guard. */
export function liveTable(guard: Guard, origins: readonly string[]): LiveTable {
  const watchers = new Set<ServerResponse>()

  function event(): string {
    const connections = Array.from(guard.connections, ({ id, identity, method, since, expiresAt }) => {
      return { id, user: identity.id, method, since, expiresAt }
    })
    return `data: ${JSON.stringify({ now: guard.clock.now(), connections })}\n\n`
  }

  const unsubscribe = guard.subscribe(({ type }) => {
    if (type === 'refused') return
    const text = event()
    for (const watcher of watchers) watcher.write(text)
  })

  return {
    handler(req, res) {
      requireLocal(req, origins)
      res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' })
      if (req.method === 'HEAD') {
        res.end()
        return
      }
      res.write(event())
      watchers.add(res)
      res.once('close', () => watchers.delete(res))
    },
    close() {
      unsubscribe()
      for (const watcher of watchers) watcher.end()
    },
  }
}
