import { createGuard, type Dialect, firstMessage, type GuardEvent, header, rejected } from '@sallyport/server'
import type { ConnectionHandler } from '@sallyport/server/ws'
import { type WebSocket, WebSocketServer } from 'ws'
import { testClock } from '../support/clock.js'
import { startServer } from '../support/server.js'

type Identity = { readonly id: string }

/** A guarded route that speaks another protocol, for that protocol's own client. */
export interface Speaking {
  readonly url: string
  readonly guard: ReturnType<typeof guardOfTokens>['guard']
  readonly clock: ReturnType<typeof guardOfTokens>['clock']
  /** Reasons of refusals, codes of ends, and `accepted` and `renewed`, in their order. */
  readonly told: string[]
  /** Resolves with the next of `told`. */
  next(what: string): Promise<void>
  /** A token of `ada`, from now on. */
  token(): string
  /** Renews the connections of `ada` over HTTP. Answers the status. */
  renew(): Promise<number>
  /** Whoever has the end of the only connection see its credential end. */
  expire(): void
}

/** Tokens name who it is and when they were issued, and live for a minute. */
function guardOfTokens(protocols: readonly string[]) {
  const clock = testClock()
  const verify = (credential: string) => {
    const [, id, issuedAt] = /^token-([a-z]+)-(\d+)$/.exec(credential) ?? []
    if (!id) return rejected('credential-unknown')
    return {
      identity: { id },
      session: `session of ${id}`,
      issuedAt: Number(issuedAt),
      expiresAt: Number(issuedAt) + 60_000,
    }
  }
  const guard = createGuard({ clock, protocols, accept: [header({ verify }), firstMessage({ verify })] })
  return { clock, guard }
}

/** Starts one. `take` gets its sockets; by default a `WebSocketServer` tells of them, to which `attach` listens. */
export async function speaking(
  dialect: Dialect,
  attach: (webSocketServer: WebSocketServer, guard: Speaking['guard']) => unknown,
  { protocols = [] }: { protocols?: readonly string[] } = {},
): Promise<Speaking> {
  const { clock, guard } = guardOfTokens(protocols)
  const told: string[] = []
  const waiting = new Map<string, () => void>()
  guard.subscribe((event: GuardEvent) => {
    const what = event.type === 'refused' ? event.reason : event.type === 'ended' ? event.code : event.type
    if (what === 'closed') return
    told.push(what)
    waiting.get(what)?.()
  })
  const webSocketServer = new WebSocketServer({ noServer: true })
  await attach(webSocketServer, guard)
  const emit: ConnectionHandler<Identity> = (socket: WebSocket, _, request) =>
    webSocketServer.emit('connection', socket, request)
  const { url, port } = await startServer(guard, emit, { dialect, webSocketServer })
  const token = () => `token-ada-${clock.now()}`
  return {
    url,
    guard,
    clock,
    told,
    token,
    next: (what) => new Promise((resolve) => waiting.set(what, resolve)),
    async renew() {
      const headers = { Authorization: `Bearer ${token()}` }
      return (await fetch(`http://127.0.0.1:${port}/ws/renew`, { method: 'POST', headers })).status
    },
    expire: () => clock.advance(65_001),
  }
}
