// Packs every package as it would be published, and uses the tarballs as strangers do: outside the workspace, each
// subpath imported in plain Node, the declarations type-checked without mercy.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readJson, root } from './bootstrap.mjs'
import { report } from './report.mjs'

const versions = readJson('package.json').devDependencies
const folders = readdirSync(join(root, 'packages')).map((name) => `packages/${name}`)
const manifests = folders.map((folder) => readJson(`${folder}/package.json`))
const peers = manifests.flatMap(({ peerDependencies = {} }) => Object.keys(peerDependencies))
/** The types of the oldest Node.js that we support, and the newest there are: what they call a type has changed. */
const nodeTypes = [versions['@types/node'], '26.6.7']
const peerTypes = peers.map((name) => `@types/${name}`).filter((name) => versions[name])

/** What an application does with the client: whatever its libraries declare, the events have their types. */
const clientUse = `
  import { GuardedSocket, ticket } from '@sallyport/client'
  const socket = new GuardedSocket('wss://api.example.com/ws', { credential: ticket('/ws/ticket', { token: () => 'x' }) })
  socket.binaryType = 'arraybuffer'
  socket.send(new Uint8Array(1))
  socket.addEventListener('message', (event) => { const { data, type }: { data: unknown; type: string } = event })
  socket.addEventListener('close', ({ code, reason }) => { const closure: [number, string] = [code, reason] })
  socket.addEventListener('terminal', ({ outcome }) => { const kind: 'misconfigured' | string = outcome.kind })
  socket.onopen = () => socket.close(1000)
  // @ts-expect-error a close has no such thing
  socket.onclose = ({ nothing }) => {}
`

/**
 * The projects of our strangers: what each installs, what it imports and writes, and the packages it must or must not end up
 * with.
 */
const consumers = [
  {
    name: 'a browser client',
    install: ['@sallyport/protocol', '@sallyport/client'],
    imports: [...subpaths('@sallyport/protocol'), ...subpaths('@sallyport/client')],
    lib: ['ES2023', 'DOM', 'DOM.Iterable'],
    exactly: ['@sallyport/client', '@sallyport/protocol'],
    uses: clientUse,
  },
  {
    name: 'a client in Node.js',
    install: ['@sallyport/protocol', '@sallyport/client'],
    imports: subpaths('@sallyport/client'),
    lib: ['ES2023'],
    nodeTypes,
    uses: clientUse,
  },
  {
    name: 'a server without the optional peers',
    install: ['@sallyport/protocol', '@sallyport/server'],
    imports: ['@sallyport/server'],
    lib: ['ES2023'],
    nodeTypes,
    without: peers,
  },
  {
    name: 'a server with every peer',
    install: ['@sallyport/protocol', '@sallyport/server', ...peers],
    imports: subpaths('@sallyport/server'),
    lib: ['ES2023'],
    nodeTypes,
    types: peerTypes,
  },
]

const work = mkdtempSync(join(tmpdir(), 'sallyport-packages-'))
const problems = []
try {
  const tarballs = pack()
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
  folders.forEach((folder, index) => {
    const { name } = manifests[index]
    const files = packed.find((tarball) => tarball.name === name).files.map(({ path }) => path)
    const wanted = publishedFiles(folder)
    for (const path of files.filter((path) => !wanted.includes(path)))
      problems.push(`${name} packs ${folder}/${path}, which does not belong there (in dist: delete dist, build again)`)
    for (const path of wanted.filter((path) => !files.includes(path))) problems.push(`${name} lacks ${folder}/${path}`)
  })
  return Object.fromEntries(packed.map(({ name, filename }) => [name, join(work, filename)]))
}

/** The sources, what each of them compiles to, and the three files that every package has. Nothing else is published. */
function publishedFiles(folder) {
  const modules = readdirSync(join(root, folder, 'src'), { recursive: true })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => path.slice(0, -'.ts'.length))
  return [
    'LICENSE',
    'README.md',
    'package.json',
    ...modules.flatMap((module) => [
      `src/${module}.ts`,
      ...['js', 'js.map', 'd.ts', 'd.ts.map'].map((extension) => `dist/${module}.${extension}`),
    ]),
  ]
}

/** Installs, imports and type-checks in a project of its own; returns the problems. */
function use(
  { name: consumer, install, imports, lib, nodeTypes = [], types = [], uses, exactly, without = [] },
  tarballs,
) {
  const project = join(work, consumer.replaceAll(' ', '-'))
  mkdirSync(project)
  write('package.json', '{ "private": true, "type": "module" }')
  const wanted = [...install, ...types].map((name) => tarballs[name] ?? `${name}@${versions[name]}`)
  must('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...wanted], project)

  const found = []
  const present = readInstalled(project)
  const unwanted = exactly
    ? present.filter((dependency) => !exactly.includes(dependency))
    : without.filter((peer) => present.includes(peer))
  for (const dependency of unwanted) found.push(`it pulls in ${dependency}`)

  for (const specifier of imports) {
    const program = `if (Object.keys(await import('${specifier}')).length === 0) throw new Error('it exports nothing')`
    const { status, stderr } = execute(process.execPath, ['--input-type=module', '--eval', program], project)
    if (status !== 0) found.push(`importing ${specifier} fails:\n${stderr}`)
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
    module: 'NodeNext',
    lib,
    types: nodeTypes.length > 0 ? ['node'] : [],
  }
  write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['consumer.ts'] }))
  for (const version of nodeTypes.length > 0 ? nodeTypes : [undefined]) {
    if (version)
      must('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', `@types/node@${version}`], project)
    const { status, stdout, stderr } = execute(join(root, 'node_modules/.bin/tsc'), ['--pretty', 'false'], project)
    const beside = version ? ` beside @types/node ${version}` : ''
    if (status !== 0) found.push(`its types do not check${beside}:\n${stdout}${stderr}`)
  }
  return found.map((problem) => `${consumer}: ${problem}`)

  function write(file, text) {
    writeFileSync(join(project, file), text)
  }
}

function subpaths(name) {
  const { exports } = manifests.find((manifest) => manifest.name === name)
  return Object.keys(exports)
    .filter((path) => path !== './package.json')
    .map((path) => name + path.slice(1))
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
