// Type-checks the examples against the built packages and the stacks that they are for.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './bootstrap.mjs'
import { examples, installExample, isApplication } from './examples.mjs'
import { report } from './report.mjs'

for (const { name } of examples) await installExample(name)
const tsc = join(root, 'node_modules/.bin/tsc')
const applications = examples.filter(({ name }) => isApplication(name)).map(({ name }) => `examples/${name}`)
const projects = ['examples', ...applications].map((folder) => join(root, folder))
const runs = projects.map((project) => spawnSync(tsc, ['-p', project, '--pretty', 'false'], { encoding: 'utf8' }))
report(
  runs.filter(({ status }) => status !== 0).map(({ stdout }) => stdout),
  `${examples.length} examples type-check`,
)
