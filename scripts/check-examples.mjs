// Type-checks the examples against the built packages and the stacks that they are for.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './bootstrap.mjs'
import { examples, installExample } from './examples.mjs'
import { report } from './report.mjs'

for (const { name } of examples) await installExample(name)
const tsc = join(root, 'node_modules/.bin/tsc')
const { status, stdout } = spawnSync(tsc, ['-p', join(root, 'examples'), '--pretty', 'false'], { encoding: 'utf8' })
report(status === 0 ? [] : [stdout], `${examples.length} examples type-check`)
