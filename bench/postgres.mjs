// A PostgreSQL of our own, for as long as something is measured.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdtempSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Runs `use` with the folder of the socket of a server, which is as it comes, and ends it. */
export async function withPostgres(use) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  const data = join(folder, 'data')
  const program = realpathSync(process.env.POSTGRES_PATH)
  const user = userOfServer()
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid)
  chmodSync(folder, 0o755)
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale']
  execFileSync(join(dirname(program), 'initdb'), initdb, { ...user, stdio: 'ignore', cwd: folder })
  const args = ['-D', data, '-c', 'listen_addresses=', '-c', `unix_socket_directories=${folder}`]
  const server = spawn(program, args, { ...user, cwd: folder, stdio: ['ignore', 'inherit', 'pipe'] })
  const gone = once(server, 'close')
  try {
    for await (const chunk of server.stderr.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      if (chunk.includes('ready to accept connections')) break
    }
    server.stderr.resume()
    return await use(folder)
  } finally {
    server.kill('SIGINT')
    await gone
    await rm(folder, { recursive: true, force: true })
  }
}

/** It refuses to run as root: there it runs as the user that its Debian package has made. */
function userOfServer() {
  if (process.getuid() !== 0) return {}
  const [uid, gid] = ['-u', '-g'].map((kind) => Number(execFileSync('id', [kind, 'postgres'])))
  return { uid, gid }
}
