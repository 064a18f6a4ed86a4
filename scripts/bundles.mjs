// What a browser downloads: the client, bundled as a web application bundles it.
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { root } from './bootstrap.mjs'

const kibibyte = 1024

/** Each bundle and the most bytes it may weigh, gzipped. A limit is raised only with its reason in the commit. */
export const bundles = [
  {
    name: 'GuardedSocket with tickets',
    limit: 4 * kibibyte,
    code: `export { GuardedSocket, ticket } from '@sallyport/client'`,
  },
  {
    name: 'outcomeOf for Socket.IO',
    limit: kibibyte,
    code: `export { outcomeOf } from '@sallyport/client/socket-io'`,
  },
  { name: 'everything', limit: 9 * kibibyte, code: `export * from '@sallyport/client'` },
]

/** Bytes minified and then gzipped, and the files that went in. */
export async function weigh({ code }) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: root, sourcefile: 'entry' },
    absWorkingDir: root,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    logLevel: 'error',
  })
  const { contents } = outputFiles[0]
  return {
    minified: contents.length,
    gzipped: gzipSync(contents, { level: 9 }).length,
    inputs: Object.keys(metafile.inputs).filter((input) => input !== 'entry'),
  }
}
