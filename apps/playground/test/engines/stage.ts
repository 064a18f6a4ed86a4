import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { type Playground, startPlayground } from '../../src/playground.js'
import { temporaryDirectory } from '../support/page.js'
import { secret } from '../support/playground.js'
import type { Tab } from './engine.js'
import type * as visits from './visits.js'

type Visits = typeof visits

/** The functions of `visits.ts`, called from outside the page. */
export type Remote = {
  readonly [Name in keyof Visits]: (...args: Parameters<Visits[Name]>) => Promise<Awaited<ReturnType<Visits[Name]>>>
}

/** Calls the functions of `visits.ts` in a tab that has loaded them. */
export function remote(tab: Tab): Remote {
  const call = (name: string, args: readonly unknown[]) =>
    tab.run(`visits.${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`)
  return new Proxy({} as Remote, {
    get: (_, name) => (name === 'then' ? undefined : (...args: unknown[]) => call(String(name), args)),
  })
}

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** The script of the page. */
export async function bundleVisits(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [source('visits.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'visits',
    target: 'es2022',
    alias: {
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
    'index.html': '<!doctype html><title>Visits</title><script src="/assets/main.js"></script>',
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
