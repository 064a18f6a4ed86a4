// Many connections over several nodes and one Redis: what they cost, how fast one revocation is, and how a node that is
// restarted gets its clients back. `node bench/scale/run.mjs [--connections 45000] [--nodes 3]`, after `npm run build`.
import { fork, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { comeBack, peakOf } from './simulation.mjs'

const { values } = parseArgs({
  options: { connections: { type: 'string', default: '45000' }, nodes: { type: 'string', default: '3' } },
})
const nodeCount = Number(values.nodes)
const perNode = Math.floor(Number(values.connections) / nodeCount)
const secret = randomBytes(32).toString('hex')
const redisPort = 17_379
const firstPort = 17_400
// A hundred a second at each node: clients and nodes share the machine.
const rampMs = perNode / 0.1
const drainMs = 10_000

const file = (name) => fileURLToPath(new URL(name, import.meta.url))
const children = new Set()
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

function start(name, args) {
  const child = fork(file(name), args.map(String), { execArgv: ['--expose-gc', '--max-old-space-size=4096'] })
  children.add(child)
  return child
}

async function ask(child, question) {
  const answer = once(child, 'message')
  child.send(question)
  return (await answer)[0]
}

async function startNode(i) {
  const child = start('node.mjs', [firstPort + i, redisPort, secret])
  await once(child, 'message')
  return child
}

/** Waits until all clients are in, and answers how long that took. */
async function allOpen(clients, wanted, since) {
  for (;;) {
    const states = await Promise.all(clients.map((child) => ask(child, 'state')))
    if (states.some(({ terminal }) => terminal > 0)) throw new Error('a client has given up')
    if (states.every(({ open }) => open === wanted)) return Date.now() - since
    await pause(200)
  }
}

const folder = await mkdtemp(join(tmpdir(), 'sallyport-scale-'))
const redisServer = spawn(
  process.env.REDIS_SERVER_PATH ?? 'redis-server',
  ['--port', redisPort, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes'].map(String),
  { stdio: 'ignore' },
)
const redis = new Redis(redisPort, '127.0.0.1')
const redisState = async () => {
  const info = await redis.info()
  const field = (name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1])
  return {
    memory: field('used_memory'),
    commands: field('total_commands_processed'),
    cpu: field('used_cpu_user') + field('used_cpu_sys'),
  }
}
const endAll = () => {
  for (const child of children) child.kill('SIGKILL')
  redis.disconnect()
  redisServer.kill()
}
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
process.once('exit', endAll)
const print = (name, value) => console.log(`${name.padEnd(64)} ${value}`)

try {
  const nodes = await Promise.all(Array.from({ length: nodeCount }, (_, i) => startNode(i)))
  const idle = await Promise.all(nodes.map((node) => ask(node, { ask: 'state' })))
  const empty = await redisState()
  const begin = Date.now()
  const clients = nodes.map((_, i) => start('clients.mjs', [firstPort + i, i * perNode, perNode, secret, rampMs]))
  const connected = await allOpen(clients, perNode, begin)
  print(`${nodeCount * perNode} connections, by ticket, over ${nodeCount} nodes`, `${(connected / 1000).toFixed(1)} s`)

  await pause(5_000)
  const full = await Promise.all(nodes.map((node) => ask(node, { ask: 'state' })))
  const perConnection = full.map(({ rss }, i) => (rss - idle[i].rss) / perNode / 1024)
  print('memory of a node for each connection (RSS)', `${Math.max(...perConnection).toFixed(1)} KiB`)
  const before = await redisState()
  await pause(10_000)
  const after = await redisState()
  print(
    'Redis at rest',
    `${((after.commands - before.commands) / 10 / nodeCount).toFixed(1)} commands a second for each node`,
  )
  print('Redis at rest, of one core', `${(((after.cpu - before.cpu) / 10) * 100).toFixed(2)} %`)
  print(
    'memory of Redis for each connection',
    `${((after.memory - empty.memory) / nodeCount / perNode).toFixed(0)} bytes`,
  )

  const revokedAt = Date.now()
  const answer = await ask(nodes[0], { ask: 'revoke', user: `user-${(nodeCount - 1) * perNode + 7}` })
  const confirmed = Date.now() - revokedAt
  for (;;) {
    const { closed } = await ask(clients[nodeCount - 1], 'state')
    if (closed[4010]) {
      print('one of them revoked on another node: closed after', `${closed[4010][0] - revokedAt} ms`)
      break
    }
    await pause(10)
  }
  print(`and confirmed by ${answer.confirmed} of ${answer.nodes} nodes after`, `${confirmed} ms`)
  await Promise.all(clients.map((child) => ask(child, 'forget')))

  // Whoever was revoked has stopped.
  const restarted = 0
  const drainedFrom = Date.now()
  await ask(nodes[restarted], { ask: 'drain', within: drainMs })
  nodes[restarted].kill()
  nodes[restarted] = await startNode(restarted)
  const upAfter = Date.now() - drainedFrom
  await allOpen([clients[restarted]], perNode, drainedFrom)
  const { openedAt } = await ask(clients[restarted], 'state')
  const back = Math.max(...openedAt) - drainedFrom
  print(
    `one node restarted, drained within ${drainMs / 1000} s: its ${perNode} clients are back after`,
    `${(back / 1000).toFixed(1)} s`,
  )
  print('the most that came back within a second', peakOf(openedAt))
  const downMs = upAfter - drainMs
  const simulated = comeBack({ clients: perNode, drainMs, downMs, perSecond: peakOf(openedAt) })
  print('the node was away after the drain for', `${(downMs / 1000).toFixed(1)} s`)
  print('simulated for a node of that many a second: back after', `${(Math.max(...simulated) / 1000).toFixed(1)} s`)
  print('simulated for any number: the most within a second', peakOf(comeBack({ clients: perNode, drainMs, downMs })))

  await Promise.all(clients.map((child) => ask(child, 'forget')))
  const killedAt = Date.now()
  nodes[restarted].kill('SIGKILL')
  nodes[restarted] = await startNode(restarted)
  await allOpen([clients[restarted]], perNode, killedAt)
  const again = (await ask(clients[restarted], 'state')).openedAt
  print('the same node killed: its clients are back after', `${((Math.max(...again) - killedAt) / 1000).toFixed(1)} s`)
  print('the most that came back within a second', peakOf(again))
} finally {
  endAll()
  await once(redisServer, 'close')
  await rm(folder, { recursive: true, force: true })
}
