// `npm run docs`: the documentation as a site, in site/dist. `-- --serve` serves it: http://127.0.0.1:4173
import { parseArgs } from 'node:util'
import { bootstrap } from './bootstrap.mjs'
import { buildSite, serveSite } from './site.mjs'

const { values: options } = parseArgs({ options: { serve: { type: 'boolean', default: false } } })

await bootstrap()
await buildSite()
if (options.serve) await serveSite()
