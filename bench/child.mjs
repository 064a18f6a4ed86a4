// The process of one server: `node child.mjs FILE OPTIONS`. It answers the commands of `process.mjs`: those here, and
// those that the server's file offers.
import { setTimeout as sleep } from 'node:timers/promises'

const [file, options] = process.argv.slice(2)
const {
  server,
  port,
  open = server && countConnections,
  ...offered
} = await (await import(file)).default(JSON.parse(options))

const commands = {
  ...offered,

  /** Seconds of CPU so far, of all threads, once so many connections are left; fewer are an error. */
  async usage({ connections = 0 } = {}) {
    for (let left = 5_000; open; left -= 1) {
      const count = await open()
      if (count === connections) break
      if (count < connections) throw new Error(`the server has ended some of its ${connections} connections`)
      if (left === 0) throw new Error(`${count} connections are still open, not ${connections}`)
      await sleep(2)
    }
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  },

  /** Bytes in use, once there is no garbage left. */
  async memory() {
    for (let i = 0; i < 4; i += 1) {
      if (globalThis.Bun) globalThis.Bun.gc(true)
      else globalThis.gc()
      await sleep(25)
    }
    const { rss, heapUsed, external } = process.memoryUsage()
    return { rss, heap: heapUsed + external }
  },
}

process.on('disconnect', () => process.exit())
process.on('message', async ({ id, command, argument }) => {
  try {
    process.send({ id, result: await commands[command](argument) })
  } catch (error) {
    process.send({ id, error: error.stack })
  }
})

if (server) server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, started)
else started()

function started() {
  process.send({ port: port ?? server?.address().port })
}

function countConnections() {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
  })
}
