import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'

// Snippets of the documentation, run as they stand there.

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const source = (path: string) => join(root, 'packages', path)
const alias = {
  '@sallyport/server/jwt': source('server/src/verifiers/tokens.ts'),
  '@sallyport/server/ws': source('server/src/adapters/ws/guard-server.ts'),
  '@sallyport/server': source('server/src/index.ts'),
  '@sallyport/client': source('client/src/index.ts'),
  '@sallyport/protocol': source('protocol/src/index.ts'),
}

/** A server listens on any port, and says on which; the browser takes it for the one that stands in the snippet. */
const anyPort = `
import { Server } from 'node:net'
const { listen } = Server.prototype
Server.prototype.listen = function (port) {
  this.once('listening', () => console.log(port, this.address().port))
  return listen.call(this, 0, '127.0.0.1')
}`

/** The text of a page, and its programs, block by block. */
export async function readPage(path: string): Promise<{ text: string; snippets: string[] }> {
  const text = await readFile(join(root, path), 'utf8')
  return { text, snippets: [...text.matchAll(/^```[jt]s\n(.*?)^```/gms)].map(([, snippet = '']) => snippet) }
}

/** A snippet with all that it imports, as one file. */
export async function bundle(contents: string, options: BuildOptions): Promise<string> {
  const stdin = { contents, loader: 'ts', resolveDir: root } as const
  const { outputFiles = [] } = await build({ stdin, alias, bundle: true, format: 'esm', write: false, ...options })
  return outputFiles[0]?.text ?? ''
}

/**
 * Runs a snippet as a server, with a folder to write it to. `place` tells Chromium where it is
 * (`--host-resolver-rules`).
 */
export async function runServer(
  snippet: string,
  folder: string,
  env: NodeJS.ProcessEnv = {},
): Promise<{ server: ChildProcess; place: string }> {
  const programme = join(folder, 'server.mjs')
  const js = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`
  await writeFile(programme, await bundle(snippet, { platform: 'node', banner: { js } }))
  await writeFile(join(folder, 'any-port.mjs'), anyPort)
  const server = spawn(process.execPath, ['--import', join(folder, 'any-port.mjs'), programme], { env })
  const [line] = await once(createInterface(server.stdout), 'line')
  const [written, actual] = String(line).split(' ')
  return { server, place: `MAP localhost:${written} 127.0.0.1:${actual}` }
}
