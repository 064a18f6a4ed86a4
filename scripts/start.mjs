// `npm start`: from a fresh clone to the running playground.
// Its line in package.json begins with `exec`: without it npm's signals would reach a shell, and end there.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bootstrap, root } from './bootstrap.mjs'

await bootstrap()

// The playground runs in this very process: environment, terminal, signals and exit code are its own, with nothing between.
process.argv[1] = join(root, 'apps/playground/dist/main.js')
await import(pathToFileURL(process.argv[1]).href)
