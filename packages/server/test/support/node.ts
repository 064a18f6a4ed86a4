import {
  type Clock,
  type ConnectionLife,
  createGuard,
  firstMessage,
  type Guard,
  type GuardEvent,
  type GuardOptions,
  header,
  type Identity,
  type Places,
  type Store,
  ticket,
} from '@sallyport/server'
import { type RedisClient, type RedisStoreOptions, redisStore } from '@sallyport/server/redis'
import { onTestFinished } from 'vitest'
import { type Claims, credentialOf, fresh, verifyClaims } from './claims.js'
import { Client } from './client.js'
import { echo, startServer } from './server.js'

/** What differs between the nodes of a test. */
export interface NodeOptions {
  readonly store?: Partial<RedisStoreOptions>
  readonly life?: Partial<ConnectionLife>
  readonly places?: Places
  readonly clock?: Clock
  /** Whether to wait until the node knows the revocations. Default `true`. */
  readonly ready?: boolean
}

/** A server that nodes share: Redis by a client of it, others by a store on them. */
export type Shared = { client(options?: object): RedisClient } | { store(options: StoreOptions): Store }

/** What the stores of nodes differ in, whatever they stand on. */
export type StoreOptions = Pick<RedisStoreOptions, 'secret' | 'timeout' | 'clock'>

/** A node: a guard over a server that others share, on an HTTP server of its own. */
export interface TestNode {
  readonly guard: Guard<Identity>
  readonly port: number
  readonly events: GuardEvent[]
  /** Asks for a ticket, and answers the status and the ticket. */
  issue(
    claims?: Claims,
  ): Promise<{ readonly status: number; readonly ticket: string; readonly retryAfter: string | null }>
  /** Opens a socket by ticket. */
  redeem(ticket: string): Promise<Client>
  /** Opens a socket by header. */
  connect(claims?: Claims): Promise<Client>
}

/** How long a command may take where a test is not about that: a machine that is busy answers late, and is right. */
export const patient = 10_000

export const secret = 'of all the nodes of these tests, a secret'

export async function startNode(shared: Shared, options: NodeOptions = {}): Promise<TestNode> {
  const { store = {}, life = {}, places, clock, ready = true } = options
  const accept = [ticket(), header({ verify: verifyClaims }), firstMessage({ verify: verifyClaims })] as const
  const guardOptions: GuardOptions<typeof accept> = {
    accept,
    life,
    limits: { failedAttempts: 1_000, pendingPerAddress: 1_000 },
    store:
      'store' in shared
        ? shared.store({ secret, timeout: patient, ...store })
        : redisStore({ client: shared.client({ enableAutoPipelining: true }), secret, timeout: patient, ...store }),
    ...(places && { connectionsPerIdentity: places }),
    ...(clock && { clock }),
  }
  const guard: Guard<Identity> = createGuard(guardOptions)
  const events: GuardEvent[] = []
  guard.subscribe((event) => events.push(event))
  onTestFinished(() => guard.drain({ within: 0 }))
  const { port, url } = await startServer(guard, echo)
  if (ready) await guard.ready()
  const authorization = (claims: Claims) => ({ Authorization: `Bearer ${credentialOf(claims)}` })

  return {
    guard,
    port,
    events,
    async issue(claims = fresh()) {
      const response = await fetch(`http://127.0.0.1:${port}/ws/ticket`, {
        method: 'POST',
        headers: authorization(claims),
      })
      const body = (await response.json()) as { readonly ticket?: string }
      return { status: response.status, ticket: body.ticket ?? '', retryAfter: response.headers.get('retry-after') }
    },
    redeem: (ticket) => Client.open(`${url}?ticket=${ticket}`),
    connect: (claims = fresh()) => Client.open(url, { headers: authorization(claims) }),
  }
}

/** Resolves when a guard's store is in that state. */
export async function stateOf({ guard }: TestNode, state: 'current' | 'stale' | 'unavailable'): Promise<void> {
  if (guard.health.store === state) return
  await new Promise<void>((resolve) => {
    const leave = guard.subscribe((event) => {
      if (event.type !== 'store' || event.state !== state) return
      leave()
      resolve()
    })
  })
}

/** A ticket, asked for again while the store is late: on a busy machine it is, and 503 is right. */
export async function ticketOf(node: TestNode, claims?: Claims): Promise<string> {
  for (;;) {
    const { status, ticket } = await node.issue(claims)
    if (status === 201) return ticket
    if (status !== 503) throw new Error(`the ticket route answered ${status}`)
  }
}

/** A socket that came by a ticket, in the same way. */
export async function openByTicket(node: TestNode): Promise<Client> {
  for (;;) {
    const ticket = await ticketOf(node)
    try {
      return await node.redeem(ticket)
    } catch (error) {
      if (!String(error).includes('503')) throw error
    }
  }
}
