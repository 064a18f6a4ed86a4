import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** What a bundler makes of an application that imports `names`. */
async function bundle(names: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: `export { ${names} } from './index.ts'`, resolveDir: source('../src') },
    alias: { '@sallyport/protocol': source('../../protocol/src/index.ts') },
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}

describe('the bundle', () => {
  it('has of the carriers and the other pieces only what is imported', async () => {
    const alone = await bundle('GuardedSocket, ticket')
    const all = await bundle('GuardedSocket, ticket, header, firstMessage, subprotocol, renewal, lifecycle, shared')
    const marks = [
      'auth_fail',
      'sallyport.bearer.',
      'takes no headers',
      'auth_expiring',
      'visibilitychange',
      'ifAvailable',
    ]
    for (const mark of marks) {
      expect([mark, alone.includes(mark), all.includes(mark)]).toEqual([mark, false, true])
    }
  })
})
