// `npm run example NAME`: installs what the example needs, and runs it. Without a name it lists them.
import { bootstrap, fail, run } from './bootstrap.mjs'
import { environmentOf, examples, installExample, programOf } from './examples.mjs'

const [name] = process.argv.slice(2)

if (name === undefined) {
  console.log('npm run example NAME, with one of these:\n')
  for (const example of examples) console.log(`  ${example.name.padEnd(16)} ${example.description}`)
} else if (examples.some((example) => example.name === name)) {
  await bootstrap()
  await installExample(name)
  process.exitCode = await run(process.execPath, ['--import', 'tsx', programOf(name)], environmentOf())
} else {
  fail(`There is no example ${JSON.stringify(name)}; npm run example lists them.`)
}
