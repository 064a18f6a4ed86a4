// Holds the code to the floors of the design: every import points down, nothing imports sideways, and there are no circles.
// Reads import lines, in the one form that the formatter leaves them.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { root } from './bootstrap.mjs'
import { report } from './report.mjs'

/**
 * The floors of the server, from the ground up. An entry is a file of `src` or, with a slash, all other files of a
 * folder. A file imports from the floors below its own. In a folder named under `kin` the files import each other too:
 * they share their parts, where the files of the other folders know nothing of one another.
 */
const floors = [
  { files: ['identity', 'support/', 'refusals/'], kin: ['support/', 'refusals/'] },
  { files: ['handshake/', 'stores/'], kin: ['handshake/', 'stores/'] },
  { files: ['stores/remote/'], kin: ['stores/remote/'] },
  {
    files: ['stores/redis/', 'stores/postgres/', 'stores/objects/', 'stores/cluster/'],
    kin: ['stores/redis/', 'stores/postgres/', 'stores/objects/', 'stores/cluster/'],
  },
  { files: ['carriers/', 'dialects/', 'limits/'], kin: ['carriers/', 'dialects/', 'limits/'] },
  { files: ['verifiers/algorithms', 'verifiers/detail', 'verifiers/settings', 'verifiers/shape'] },
  { files: ['verifiers/keys/'], kin: ['verifiers/keys/'] },
  { files: ['verifiers/'], kin: ['verifiers/'] },
  { files: ['verifiers/logins/'], kin: ['verifiers/logins/'] },
  { files: ['tickets', 'verdict', 'revocation/'], kin: ['revocation/'] },
  { files: ['methods', 'connections/'], kin: ['connections/'] },
  { files: ['guard/'], kin: ['guard/'] },
  { files: ['routes', 'observers/', 'adapters/node/'], kin: ['observers/', 'adapters/node/'] },
  { files: ['adapters/fetch/'], kin: ['adapters/fetch/'] },
  {
    files: ['adapters/ws/', 'adapters/crossws/', 'adapters/bun/', 'adapters/deno/', 'adapters/workers/'],
    kin: ['adapters/ws/', 'adapters/crossws/', 'adapters/bun/', 'adapters/workers/'],
  },
  { files: ['adapters/durable-objects/'], kin: ['adapters/durable-objects/'] },
  { files: ['adapters/socket-io/'], kin: ['adapters/socket-io/'] },
  { files: ['adapters/fastify', 'adapters/hono'] },
  { files: ['adapters/nest/'], kin: ['adapters/nest/'] },
  { files: ['testing/'], kin: ['testing/'] },
  { files: ['index'] },
]

/** What each package may import from outside itself: packages of ours by name, and Node and libraries: all, none, or those. */
const packages = [
  { source: 'packages/protocol/src', ours: [], libraries: false },
  { source: 'packages/client/src', ours: ['@sallyport/protocol'], libraries: ['react'] },
  { source: 'packages/server/src', ours: ['@sallyport/protocol'], libraries: true, floors },
  {
    source: 'apps/playground/src',
    ours: ['@sallyport/protocol', '@sallyport/client', '@sallyport/server'],
    libraries: true,
  },
  { source: 'apps/playground/page', ours: ['@sallyport/protocol', '@sallyport/client'], libraries: false },
]

const problems = []
let checked = 0
for (const part of packages) {
  const graph = readImports(part.source)
  const lines = [...graph.values()].flat().length
  if (lines === 0) problems.push(`${part.source} has no import to check`)
  checked += lines
  for (const [file, imports] of graph) {
    for (const { line, specifier, target } of imports) {
      const problem = target ? judgeInside(part, graph, file, target) : judgeOutside(part, specifier)
      if (problem) problems.push(`${part.source}/${file}:${line} imports ${specifier}: ${problem}`)
    }
    if (part.floors && !floorOf(file))
      problems.push(`${part.source}/${file} has no floor: give it one in scripts/check-floors.mjs`)
  }
  for (const circle of circles(graph)) problems.push(`${part.source} has a circle: ${circle.join(' → ')}`)
}
report(problems, `${checked} imports, all from below`)

/** Every TypeScript file of a folder with its imports; `target` is the file that a relative specifier means. */
function readImports(source) {
  const folder = join(root, source)
  const names = readdirSync(folder, { recursive: true }).filter((name) => /\.tsx?$/.test(name))
  return new Map(names.map((name) => [name, importsOf(name, readFileSync(join(folder, name), 'utf8'))]))
}

function importsOf(name, text) {
  const statement = /^(?:import|export|\})[^'\n]*\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm
  return [...text.matchAll(statement)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3]
    const line = text.slice(0, match.index).split('\n').length
    const target = specifier.startsWith('.') && posix.join(dirname(name), specifier).replace(/\.js(x?)$/, '.ts$1')
    return { line, specifier, target }
  })
}

function judgeOutside({ ours, libraries }, specifier) {
  const known = specifier.startsWith('@sallyport/')
    ? ours.some((name) => specifier === name || specifier.startsWith(`${name}/`))
    : Array.isArray(libraries)
      ? libraries.includes(specifier)
      : libraries
  return known ? undefined : 'this package does not stand on that'
}

function judgeInside(part, graph, file, target) {
  if (!graph.has(target)) return `there is no ${target} in ${part.source}`
  if (!part.floors) return undefined
  const from = floorOf(file)
  const to = floorOf(target)
  if (!from || !to || to.level < from.level) return undefined
  if (to.level > from.level) return 'that is a floor above'
  return from.kin && from.entry === to.entry ? undefined : 'that is on the same floor'
}

/** Where a file stands; an entry of its own goes before the entry of its folder. */
function floorOf(file) {
  const name = file.replace(/\.tsx?$/, '')
  for (const entry of [name, `${dirname(name)}/`]) {
    const level = floors.findIndex(({ files }) => files.includes(entry))
    if (level >= 0) return { level, entry, kin: floors[level].kin?.includes(entry) ?? false }
  }
  return undefined
}

/** Each circle once, as the files on it. */
function circles(graph) {
  const found = []
  const done = new Set()
  const visit = (file, path) => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file])
    if (path.includes(file) || done.has(file)) return
    for (const { target } of graph.get(file) ?? []) if (target) visit(target, [...path, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return found
}
