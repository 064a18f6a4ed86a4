// `npm run example NAME`: installs what the example needs, and runs it. Without a name it lists them.
import { bootstrap, fail, prepareRuntimes, run } from './bootstrap.mjs'
import { commandOf, environmentOf, examples, installExample, isApplication, runtimeVariableOf } from './examples.mjs'

const [name] = process.argv.slice(2)

if (name === undefined) {
  console.log('npm run example NAME, with one of these:\n')
  for (const example of examples) console.log(`  ${example.name.padEnd(16)} ${example.description}`)
} else if (!examples.some((example) => example.name === name)) {
  fail(`There is no example ${JSON.stringify(name)}; npm run example lists them.`)
} else if (isApplication(name)) {
  console.log(
    [
      `${name} is an application for a telephone, an emulator or a simulator, and Expo runs it:\n`,
      `  cd examples/${name} && npm install --no-package-lock && npx expo start\n`,
      'Its server is any of the others, in another terminal: npm run example express',
    ].join('\n'),
  )
} else {
  await bootstrap()
  await installExample(name)
  const variable = runtimeVariableOf(name)
  if (variable) await prepareRuntimes(variable)
  process.exitCode = await run(...commandOf(name), environmentOf())
}
