// What a browser downloads: the client bundled as a web application bundles it, within its limits and with nothing of
// the server in it.
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { root } from './bootstrap.mjs'
import { report } from './report.mjs'

const kibibyte = 1024

/** Each bundle and the most it may weigh, gzipped. A limit is raised only with its reason in the commit. */
const bundles = [
  {
    name: 'GuardedSocket with tickets',
    limit: 4 * kibibyte,
    code: `export { GuardedSocket, ticket } from '@sallyport/client'`,
  },
  { name: 'everything', limit: 7 * kibibyte, code: `export * from '@sallyport/client'` },
]
const ours = /^packages\/(client|protocol)\//

const problems = []
for (const { name, limit, code } of bundles) {
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
  const gzipped = gzipSync(contents, { level: 9 }).length
  console.log(`${name}: ${contents.length} bytes minified, ${gzipped} gzipped, limit ${limit}`)
  if (gzipped > limit) problems.push(`${name} is ${gzipped - limit} bytes over its limit`)

  const strangers = Object.keys(metafile.inputs).filter((input) => input !== 'entry' && !ours.test(input))
  for (const input of strangers) problems.push(`${name} contains ${input}`)
  if (!Object.keys(metafile.inputs).some((input) => ours.test(input)))
    problems.push(`${name} contains nothing of the client`)
}
report(problems, `${bundles.length} bundles of nothing but client and protocol`)
