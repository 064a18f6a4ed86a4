import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { type Playground, startPlayground } from '../../src/playground.js'
import { temporaryDirectory } from '../support/page.js'
import { secret } from '../support/playground.js'
import type { Tab } from './engine.js'
import type * as visits from './visits.js'

/** The functions of a script, called from outside the page. */
export type Remote<Script = typeof visits> = {
  readonly [Name in keyof Script]: Script[Name] extends (...args: infer Args) => infer Answer
    ? (...args: Args) => Promise<Awaited<Answer>>
    : never
}

/** Calls the functions of a script in a tab that has loaded it. */
export function remote<Script = typeof visits>(tab: Tab, script = 'visits'): Remote<Script> {
  const call = (name: string, args: readonly unknown[]) =>
    tab.run(`${script}.${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`)
  return new Proxy({} as Remote<Script>, {
    get: (_, name) => (name === 'then' ? undefined : (...args: unknown[]) => call(String(name), args)),
  })
}

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** A script for a page, whose functions have that name in front of theirs. */
export async function bundle(name: 'visits' | 'hook' | 'trial' | 'pulse'): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [source(`${name}.ts`)],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: name,
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"development"' },
    alias: {
      '@sallyport/client/react': source('../../../../packages/client/src/react.ts'),
      '@sallyport/client': source('../../../../packages/client/src/index.ts'),
      '@sallyport/protocol': source('../../../../packages/protocol/src/index.ts'),
    },
  })
  return outputFiles[0]!.text
}

/** Starts a playground whose page is that script, and nothing else. */
export async function startWith(script: string, port = 0): Promise<Playground> {
  const { path, remove } = await temporaryDirectory()
  const files = {
    'index.html': '<!doctype html><title>Test</title><body><script src="/assets/main.js"></script>',
    'main.js': script,
    'style.css': '',
    'favicon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'opaque.html': '',
    'opaque.js': '',
  }
  await Promise.all(Object.entries(files).map(([file, text]) => writeFile(join(path, file), text)))
  const playground = await startPlayground({ host: '127.0.0.1', port, secret, pages: pathToFileURL(`${path}/`) })
  await remove()
  return playground
}
