import type { ServerResponse } from 'node:http'
import { type Code, type CodeName, codes } from '@sallyport/protocol'
import type { Connection, Guard } from '@sallyport/server'
import type { Handler } from './http.js'
import { requireLocal } from './local.js'
import { cookieOf } from './session-cookie.js'
import type { Sessions } from './sessions.js'

/** What the table is made of. */
export interface LiveTableOptions {
  readonly guard: Guard
  readonly sessions: Sessions
  readonly origins: readonly string[]
}

/** The table of live connections, for pages that watch it. */
export interface LiveTable {
  /**
   * `GET /connections`: the whole table as a Server-Sent Event, at once and on every change; beside it, when the guard has
   * ended a connection, its row and the close code. Ids come with the connections of the session cookie's user only.
   */
  readonly handler: Handler
  /** Ends every watcher's response. */
  close(): void
}

/** A row that is over. */
interface Ended {
  readonly row: number
  readonly close: number
}

/** Watches the connections of a guard. */
export function liveTable({ guard, sessions, origins }: LiveTableOptions): LiveTable {
  /** With the cookie that they came with, which says who asks for as long as its session lives. */
  const watchers = new Map<ServerResponse, string | undefined>()
  const told = new WeakMap<ServerResponse, Promise<unknown>>()
  const rows = new WeakMap<Connection, number>()
  let lastRow = 0

  /** Tells connections apart, in the order of their coming, for those who may not know their ids. */
  function rowOf(connection: Connection): number {
    const row = rows.get(connection) ?? ++lastRow
    rows.set(connection, row)
    return row
  }

  async function event(cookie: string | undefined, ended?: Ended): Promise<string> {
    const asking = (await sessions.find(cookie))?.user
    const connections = Array.from(guard.connections, (connection) => {
      const { id, identity, method, since, expiresAt } = connection
      const own = identity.id === asking && { id }
      return { row: rowOf(connection), ...own, user: identity.id, method, since, expiresAt }
    })
    // The guard lists a renewed connection last.
    connections.sort((one, other) => one.row - other.row)
    return `data: ${JSON.stringify({ now: guard.clock.now(), connections, ended })}\n\n`
  }

  /** Writes events one behind the other: which of two look-ups is answered first must not matter. */
  function tell(watcher: ServerResponse, cookie: string | undefined, ended?: Ended): void {
    const before = told.get(watcher) ?? Promise.resolve()
    const now = before
      .then(() => event(cookie, ended))
      .then((text) => {
        if (!watcher.writableEnded) watcher.write(text)
      })
      // Whose session cannot be looked up watches no more.
      .catch(() => watcher.destroy())
    told.set(watcher, now)
  }

  const unsubscribe = guard.subscribe((change) => {
    if (change.type === 'refused' || change.type === 'store') return
    const ended = change.type === 'ended' ? { row: rowOf(change.connection), close: closeOf(change.code) } : undefined
    for (const [watcher, cookie] of watchers) tell(watcher, cookie, ended)
  })

  return {
    handler(req, res) {
      requireLocal(req, origins)
      res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' })
      if (req.method === 'HEAD') {
        res.end()
        return
      }
      const cookie = cookieOf(req)
      tell(res, cookie)
      watchers.set(res, cookie)
      res.once('close', () => watchers.delete(res))
    },
    close() {
      unsubscribe()
      for (const watcher of watchers.keys()) watcher.end()
    },
  }
}

function closeOf(name: CodeName): number {
  const { close = codes.internal.close }: Code = codes[name]
  return close
}
