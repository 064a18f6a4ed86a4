import { type Cable, cableOfTest } from '../support/cable.js'
import { type Child, startChild } from '../support/child.js'
import { credentialOf, fresh } from '../support/claims.js'
import { Client } from '../support/client.js'
import { freePort } from '../support/free-port.js'
import type { Fault, History } from './history.js'
import { post } from './http.js'
import type { NodeArguments } from './node.js'
import type { BreakableStore } from './shared.js'

/** How long a node may go on by itself, in milliseconds. */
export const maxStaleness = 5_000
// How long after the end of a fault a node is back: it connects again, looks, and closes what is to be closed.
const recovery = 1_500
const secret = 'of all the nodes of these tests, a secret'
const users = 16
const nodeCount = 3

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** A node of the runner, which is killed and started again. */
class FaultyNode {
  readonly #options: NodeArguments
  readonly cables: readonly Cable[]
  #child: Child | undefined

  constructor(options: NodeArguments, cables: readonly Cable[]) {
    this.#options = options
    this.cables = cables
  }

  get port(): number {
    return this.#options.port ?? 0
  }

  async start(): Promise<void> {
    this.#child = await startChild(new URL('./node.ts', import.meta.url), { args: [JSON.stringify(this.#options)] })
    await this.#child.next()
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.process.kill(name)
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.#child?.ended
  }
}

/** Runs nodes under load, and lets things break, one after the other, for some seconds. */
export async function runFaults(store: BreakableStore, seed: number, seconds: number): Promise<History> {
  const random = randomOf(seed)
  const nodes = await Promise.all(Array.from({ length: nodeCount }, () => startNode(store)))
  const history: History = { tickets: [], revoked: [], faults: [], surprises: [] }
  const end = Date.now() + seconds * 1_000
  const pick = (count: number) => Math.floor(random() * count)
  const between = (least: number, most: number) => least + random() * (most - least)

  async function user(id: string): Promise<void> {
    for (let session = 0; Date.now() < end; session++) await visit(id, `${id}-${session}`)
  }

  /** A ticket, a race for it, and what becomes of the winner. */
  async function visit(id: string, session: string): Promise<void> {
    const headers = { authorization: `Bearer ${credentialOf(fresh({ id, session, token: session }))}` }
    const issued = await post(nodes[pick(nodeCount)]!.port, '/ws/ticket', '', headers).catch(() => undefined)
    if (issued?.status !== 201) {
      if (issued && issued.status !== 503) history.surprises.push(`a ticket was answered with ${issued.status}`)
      await pause(50)
      return
    }
    const { ticket } = issued.body as { ticket: string }
    const racers = await Promise.all([0, 1, 2].map((node) => race(node, ticket)))
    const winners = racers.filter((racer) => racer !== undefined)
    history.tickets.push({ winners: winners.length })
    await Promise.all(winners.map((winner) => live(winner, session)))
  }

  async function race(
    node: number,
    ticket: string,
  ): Promise<{ readonly node: number; readonly client: Client } | undefined> {
    try {
      const url = `ws://127.0.0.1:${nodes[node]!.port}/ws?ticket=${ticket}`
      return { node, client: await Client.open(url, { perMessageDeflate: false }) }
    } catch (error) {
      const { message } = error as Error
      if (!/: (401|503)$|ECONN|socket hang up/.test(message))
        history.surprises.push(`a handshake ended with ${message}`)
      return undefined
    }
  }

  /** Speaks all the time, has its session revoked by another node, and goes on speaking. */
  async function live({ node, client }: { node: number; client: Client }, session: string): Promise<void> {
    let lastEcho = 0
    let isClosed = false
    client.socket.on('message', (data) => {
      lastEcho = Math.max(lastEcho, Number(String(data)))
    })
    void client.closed.then(() => {
      isClosed = true
    })
    const speak = setInterval(() => client.socket.readyState === client.socket.OPEN && client.send(`${Date.now()}`), 25)
    await Promise.race([pause(between(100, 1_500)), client.closed])
    const revoking = post(nodes[pick(nodeCount)]!.port, '/revoke', JSON.stringify({ session })).catch(() => undefined)
    const revoked = await revoking
    const revokedAt = Date.now()
    await Promise.race([pause(maxStaleness + 4_000), client.closed])
    clearInterval(speak)
    if (!isClosed) {
      // Nobody promised anything when it could not be said.
      if (revoked?.status === 200) history.surprises.push('a connection has outlived its revocation')
      await client.close()
    }
    if (revoked?.status === 200) history.revoked.push({ node, revokedAt, lastEcho })
  }

  /** Lets something break for `ms` milliseconds. */
  async function breakDown(name: string, node: number | 'all', ms: number, on: () => unknown, off: () => unknown) {
    const fault: Fault = { name, node, from: Date.now(), to: Number.POSITIVE_INFINITY }
    history.faults.push(fault)
    await on()
    await pause(ms)
    await off()
    fault.to = Date.now() + recovery
  }

  async function oneFault(): Promise<void> {
    const index = pick(nodeCount)
    const node = nodes[index]!
    const server = await store.primary()
    const kind = pick(store.promote ? 7 : 6)
    const cables = (change: (cable: Cable) => void) => () => node.cables.forEach(change)
    if (kind === 0)
      await breakDown(
        'node killed',
        index,
        between(100, 1_500),
        () => node.kill(),
        () => node.start(),
      )
    if (kind === 1) {
      const [on, off] = [() => node.signal('SIGSTOP'), () => node.signal('SIGCONT')]
      await breakDown('node frozen', index, between(300, 3_000), on, off)
    }
    const heal = cables((cable) => cable.heal())
    if (kind === 2)
      await breakDown(
        'node cut off',
        index,
        between(300, 8_000),
        cables((cable) => cable.cut()),
        heal,
      )
    if (kind === 3)
      await breakDown(
        'node unheard',
        index,
        between(300, 4_000),
        cables((cable) => cable.silence()),
        heal,
      )
    const recovered = () => whenRecovered({ nodes, store })
    if (kind === 4) {
      const [on, off] = [() => server.signal('SIGSTOP'), () => server.signal('SIGCONT')]
      const thaw = async () => {
        off()
        await recovered()
      }
      await breakDown(`${store.name} frozen`, 'all', between(200, 3_000), on, thaw)
    }
    if (kind === 5) {
      const restart = async () => {
        await server.restart()
        await recovered()
      }
      await breakDown(`${store.name} killed`, 'all', between(100, 3_000), () => server.kill(), restart)
    }
    if (kind === 6) await breakDown('replica promoted', 'all', 0, () => store.promote?.(), recovered)
  }

  async function faults(): Promise<void> {
    while (Date.now() < end) {
      await oneFault()
      await pause(between(0, 2_000))
    }
  }

  await Promise.all([faults(), ...Array.from({ length: users }, (_, i) => user(`user-${i}`))])
  await allCurrent({ nodes, store })
  await checkEnd({ nodes, store }, history)
  return history
}

async function startNode(store: BreakableStore): Promise<FaultyNode> {
  const cables = await Promise.all(store.servers.map((server) => cableOfTest(server.port)))
  const options = { shared: store.behind(cables), secret, maxStaleness, maxConnections: 5, port: await freePort() }
  const node = new FaultyNode(options, cables)
  await node.start()
  return node
}

/** The same when the store has been out of reach: Sentinels take their time, and the nodes do not see it at once. */
async function whenRecovered(scene: Scene): Promise<void> {
  await pause(5_000)
  await allCurrent(scene)
}

/** Waits until every node knows what the store holds. That none stays behind for ever is what the runner proves. */
async function allCurrent({ nodes, store }: Scene): Promise<void> {
  const isCurrent = async (node: FaultyNode) => (await stateOf(node))?.store === 'current'
  const areCurrent = async () => (await Promise.all(nodes.map(isCurrent))).every(Boolean)
  if (await isWithin(30_000, areCurrent)) return
  const states = await Promise.all(nodes.map(stateOf))
  throw new Error(`a node is stuck: ${JSON.stringify(states)}\n${await store.describe()}`)
}

/** What the faults come over. */
interface Scene {
  readonly nodes: readonly FaultyNode[]
  readonly store: BreakableStore
}

async function stateOf(
  node: FaultyNode,
): Promise<{ readonly store: string; readonly connections: number } | undefined> {
  const state = await post(node.port, '/state').catch(() => undefined)
  return state?.body as { store: string; connections: number } | undefined
}

async function isWithin(ms: number, isSo: () => Promise<boolean>): Promise<boolean> {
  const limit = Date.now() + ms
  while (!(await isSo())) {
    if (Date.now() > limit) return false
    await pause(50)
  }
  return true
}

/** All that is over has left nothing, and each node works. */
async function checkEnd({ nodes, store }: Scene, history: History) {
  for (const node of nodes) {
    const headers = { authorization: `Bearer ${credentialOf(fresh({ id: 'last', session: `${node.port}` }))}` }
    const issued = await post(node.port, '/ws/ticket', '', headers)
    const { ticket } = issued.body as { ticket?: string }
    const client = await Client.open(`ws://127.0.0.1:${node.port}/ws?ticket=${ticket}`)
    await client.close()
    if (!(await isWithin(5_000, async () => (await stateOf(node))?.connections === 0))) {
      history.surprises.push('a connection has left a ghost')
    }
  }
  history.surprises.push(...(await store.lentForEver()))
}
