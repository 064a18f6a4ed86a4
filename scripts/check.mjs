// `npm run check`: everything beside the tests that must hold. Runs all of it, and names at the end what failed.
import { join } from 'node:path'
import { bootstrap, fail, root, run } from './bootstrap.mjs'

const script = (name) => [process.execPath, [join(root, `scripts/check-${name}.mjs`)]]
const checks = {
  types: ['npm', ['run', '--silent', 'types']],
  lint: ['npm', ['run', '--silent', 'lint']],
  floors: script('floors'),
  runtimes: script('runtimes'),
  dependencies: script('dependencies'),
  licences: script('licences'),
  examples: script('examples'), // first: the pages of the stacks need what it installs
  docs: script('docs'),
  links: script('links'),
  stacks: script('stacks'),
  errors: script('errors'),
  packages: script('packages'),
  bundle: script('bundle'),
  releases: script('releases'),
}

await bootstrap()
const failed = []
for (const [name, command] of Object.entries(checks)) {
  console.log(`\n=== ${name} ===`)
  if ((await run(...command)) !== 0) failed.push(name)
}
if (failed.length > 0) fail(`\nCheck failed: ${failed.join(', ')}`)
console.log(`\nCheck passed: ${Object.keys(checks).join(', ')}`)
