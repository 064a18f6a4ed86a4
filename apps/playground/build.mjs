// Bundles the page: node build.mjs [directory], dist/page by default.
import { cp } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const outdir = resolve(process.argv[2] ?? here('dist/page'))

await build({
  entryPoints: ['main.ts', 'opaque.ts', 'style.css'].map((file) => here(`page/${file}`)),
  outdir,
  bundle: true,
  minify: true,
  target: 'es2022',
  // From their sources, so that the page needs no other build first.
  alias: {
    '@sallyport/client': here('../../packages/client/src/index.ts'),
    '@sallyport/protocol': here('../../packages/protocol/src/index.ts'),
  },
  // A sandboxed frame may not load modules: both run as classic scripts would.
  format: 'iife',
})
for (const file of ['index.html', 'opaque.html', 'favicon.svg']) await cp(here(`page/${file}`), resolve(outdir, file))
