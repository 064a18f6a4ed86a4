// A Redis of our own, for as long as something is measured.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Runs `use` with the path of the socket of a server, which keeps its append-only file as in production, and ends it. */
export async function withRedis(use) {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-bench-'))
  const socket = join(folder, 'redis')
  const args = ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', '', '--appendonly', 'yes']
  const server = spawn(process.env.REDIS_SERVER_PATH, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(server, 'close')
  try {
    let said = ''
    for await (const chunk of server.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      said += chunk
      if (said.includes('connections at')) break
    }
    server.stdout.resume()
    return await use(socket)
  } finally {
    server.kill()
    await gone
    await rm(folder, { recursive: true, force: true })
  }
}
