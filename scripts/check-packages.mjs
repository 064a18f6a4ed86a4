// Packs every package as it would be published, asks Are the types wrong? and publint about it, and uses the tarballs as
// strangers do: outside the workspace, each subpath loaded in plain Node, the declarations type-checked without mercy.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { filterProblems } from '@arethetypeswrong/core/problems'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { readJson, root } from './bootstrap.mjs'
import { consumers, folders, versions } from './consumers.mjs'
import { report } from './report.mjs'

const work = mkdtempSync(join(tmpdir(), 'sallyport-packages-'))
const problems = []
try {
  const tarballs = pack()
  for (const tarball of Object.values(tarballs)) problems.push(...(await judge(tarball)))
  if (problems.length === 0) for (const consumer of consumers) problems.push(...use(consumer, tarballs))
} finally {
  rmSync(work, { recursive: true, force: true })
}
report(problems, `${folders.length} packages serve ${consumers.map(({ name }) => name).join(', ')}`)

/** Packs each package, checks what is in it, and returns the tarballs by package name. */
function pack() {
  const { stdout } = must(
    'npm',
    ['pack', '--json', '--pack-destination', work, ...folders.map((folder) => `./${folder}`)],
    root,
  )
  const packed = Object.values(JSON.parse(stdout))
  for (const folder of folders) {
    const { name, exports } = readJson(`${folder}/package.json`)
    const files = packed.find((tarball) => tarball.name === name).files.map(({ path }) => path)
    const wanted = publishedFiles(folder)
    for (const path of files.filter((path) => !wanted.includes(path)))
      problems.push(`${name} packs ${folder}/${path}, which does not belong there (built earlier: delete it)`)
    for (const path of wanted.filter((path) => !files.includes(path))) problems.push(`${name} lacks ${folder}/${path}`)
    const page = readFileSync(join(root, folder, 'README.md'), 'utf8')
    for (const path of Object.keys(exports).filter((path) => path !== './package.json'))
      if (!new RegExp(`[\`']${name}${path.slice(1)}[\`']`).test(page))
        problems.push(`${folder}/README.md does not name ${name}${path.slice(1)}`)
  }
  return Object.fromEntries(packed.map(({ name, filename }) => [name, join(work, filename)]))
}

/** What Are the types wrong? says of a package in every way that modules are resolved by today, and publint of its manifest. */
async function judge(tarball) {
  const data = readFileSync(tarball)
  const analysis = await checkPackage(createPackageFromTarballData(data))
  const misfits = ['node16-cjs', 'node16-esm', 'bundler'].flatMap((resolutionKind) =>
    filterProblems(analysis, { resolutionKind }).map((problem) => `${resolutionKind}: ${JSON.stringify(problem)}`),
  )
  const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(data).buffer }, strict: true })
  const mistakes = messages.map((message) => formatMessage(message, pkg, { color: false }))
  return [...misfits, ...mistakes].map((problem) => `${pkg.name}: ${problem}`)
}

/** The sources, what each of them compiles to, and the files that every package has. Nothing else is published. */
function publishedFiles(folder) {
  const modules = readdirSync(join(root, folder, 'src'), { recursive: true })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => path.slice(0, -'.ts'.length))
  return [
    'LICENSE',
    'README.md',
    'package.json',
    'cjs/package.json',
    ...modules.flatMap((module) => [
      `src/${module}.ts`,
      ...['js', 'js.map', 'd.ts', 'd.ts.map'].map((extension) => `dist/${module}.${extension}`),
      ...['js', 'd.ts'].map((extension) => `cjs/${module}.${extension}`),
    ]),
  ]
}

/** Installs, loads, type-checks and tests in a project of its own; returns the problems. */
function use(
  {
    name: consumer,
    install,
    module = 'NodeNext',
    imports,
    lib,
    nodeTypes = [],
    types = [],
    ambient = nodeTypes.length > 0 ? ['node'] : [],
    uses,
    exactly,
    without = [],
    runs,
  },
  tarballs,
) {
  const project = join(work, consumer.replaceAll(' ', '-'))
  mkdirSync(project)
  const type = module === 'NodeNext' ? 'module' : 'commonjs'
  write('package.json', JSON.stringify({ private: true, type }))
  const wanted = [...install, ...types].map((name) => tarballs[name] ?? `${name}@${versions[name]}`)
  must('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...wanted], project)

  const found = []
  const present = readInstalled(project)
  const unwanted = exactly
    ? present.filter((dependency) => !exactly.includes(dependency))
    : without.filter((peer) => present.includes(peer))
  for (const dependency of unwanted) found.push(`it pulls in ${dependency}`)

  for (const specifier of imports) {
    const { status, stderr } = execute(
      process.execPath,
      [`--input-type=${type}`, '--eval', loads(type, specifier)],
      project,
    )
    if (status !== 0) found.push(`loading ${specifier} fails:\n${stderr}`)
  }

  const lines = imports.map((specifier, index) => `import * as m${index} from '${specifier}'`)
  write(
    'consumer.ts',
    `${lines.join('\n')}\nexport const used = [${imports.map((_, index) => `m${index}`).join(', ')}]\n${uses ?? ''}`,
  )
  const compilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    target: 'ES2022',
    module,
    lib,
    types: ambient,
  }
  write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['consumer.ts'] }))
  for (const version of nodeTypes.length > 0 ? nodeTypes : [undefined]) {
    if (version)
      must('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', `@types/node@${version}`], project)
    const { status, stdout, stderr } = execute(join(root, 'node_modules/.bin/tsc'), ['--pretty', 'false'], project)
    const beside = version ? ` beside @types/node ${version}` : ''
    if (status !== 0) found.push(`its types do not check${beside}:\n${stdout}${stderr}`)
  }

  if (runs) {
    write('application.test.js', runs)
    const { status, stderr } = execute(join(project, 'node_modules/.bin/jest'), ['--ci'], project)
    if (status !== 0) found.push(`its tests fail:\n${stderr}`)
  }
  return found.map((problem) => `${consumer}: ${problem}`)

  function write(file, text) {
    writeFileSync(join(project, file), text)
  }
}

/** A program that loads a module. In CommonJS it asks that `import` gives the same one: a guard that is there twice knows half. */
function loads(type, specifier) {
  if (type === 'module')
    return `if (Object.keys(await import('${specifier}')).length === 0) throw new Error('it exports nothing')`
  return `
    const required = require('${specifier}')
    import('${specifier}').then((imported) => {
      const [name] = Object.keys(imported)
      if (required[name] !== imported[name]) throw new Error('require and import give two modules')
    })
  `
}

/** The names of all packages under `node_modules`, nested ones too, as npm wrote them down. */
function readInstalled(project) {
  const { packages } = JSON.parse(readFileSync(join(project, 'node_modules/.package-lock.json'), 'utf8'))
  return Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
}

/** A minute is enough for each of these; a module that keeps the process alive after its import is a failure too. */
function execute(command, args, cwd) {
  return spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 60_000 })
}

function must(command, args, cwd) {
  const result = execute(command, args, cwd)
  if (result.status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed:\n${result.stderr}`, { cause: result.error })
  return result
}
