// `npm run docs`: the documentation as a site, in site/.vitepress/dist. `-- --serve` serves it: http://127.0.0.1:4173
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bootstrap, root, run } from './bootstrap.mjs'
import { installProject } from './install-project.mjs'

const { values: options } = parseArgs({ options: { serve: { type: 'boolean', default: false } } })
const site = join(root, 'site')
const program = (name) => join(site, 'node_modules/.bin', name)

await bootstrap()
await installProject(site)
await must(program('typedoc'), ['--options', join(site, 'typedoc.json'), '--logLevel', 'Error'])
await must(program('vitepress'), ['build', site])
if (options.serve) await must(program('vitepress'), ['preview', site, '--host', '127.0.0.1', '--port', '4173'])

async function must(command, args) {
  const code = await run(command, args)
  if (code !== 0) process.exit(code)
}
