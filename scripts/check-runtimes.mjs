// What each entry point stands on: no module of Node.js that a runtime lacks where it is to load, and no library that its user
// was not told of. Bundles what is built, as who deploys it does, and looks at what stays outside; then loads it in Bun, Deno and
// workerd.
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { build } from 'esbuild'
import { prepareRuntimes, readJson, root } from './bootstrap.mjs'
import { folders } from './consumers.mjs'
import { loadInServers, loadInWorkers } from './loading.mjs'
import { report } from './report.mjs'

/**
 * The modules of Node.js that there are. What loads in one of these loads in those below it.
 * - `web`: browsers, React Native, Electron's pages: none
 * - `fetch`: Cloudflare Workers with `nodejs_compat` and a compatibility date of 2025-04-01 or later
 * - `node`: Node.js, Bun and Deno: all
 */
const runtimes = {
  web: [],
  fetch: `assert async_hooks buffer crypto diagnostics_channel dns events module net path process querystring stream
    string_decoder timers tls url util zlib`.split(/\s+/),
  node: builtinModules,
}

/** The least runtime that each entry point is for, and the optional peers that it loads. */
const entryPoints = {
  '@sallyport/protocol': ['web'],
  '@sallyport/client': ['web'],
  '@sallyport/client/react': ['web', 'react'],
  '@sallyport/client/socket-io': ['web'],
  '@sallyport/server': ['fetch'],
  '@sallyport/server/jwt': ['fetch'],
  '@sallyport/server/logins': ['fetch'],
  '@sallyport/server/crossws': ['node'],
  '@sallyport/server/bun': ['fetch'],
  '@sallyport/server/deno': ['fetch'],
  '@sallyport/server/workers': ['fetch'],
  '@sallyport/server/durable-objects': ['fetch'],
  '@sallyport/server/redis': ['fetch'],
  '@sallyport/server/cluster': ['node'],
  '@sallyport/server/postgres': ['fetch'],
  '@sallyport/server/opentelemetry': ['fetch', '@opentelemetry/api'],
  '@sallyport/server/prometheus': ['node', 'prom-client'],
  '@sallyport/server/ws': ['node', 'ws'],
  '@sallyport/server/fastify': ['node', 'ws'],
  '@sallyport/server/hono': ['node', '@hono/node-server', 'ws'],
  '@sallyport/server/socket-io': ['node'],
  '@sallyport/server/nest': ['node', '@nestjs/common', '@nestjs/platform-ws', 'ws'],
  '@sallyport/server/nest-socket-io': ['node', '@nestjs/common', '@nestjs/platform-socket.io'],
  '@sallyport/server/testing': ['node', 'ws'],
}

const problems = []
const published = folders.flatMap(readEntryPoints)
for (const { name, file, peers } of published) {
  const row = entryPoints[name]
  if (!row) {
    problems.push(`${name} has no row in scripts/check-runtimes.mjs: say there where it is to load`)
    continue
  }
  const [runtime, ...libraries] = row
  const { builtins, packages } = await outside(file, peers)
  for (const builtin of builtins.filter((builtin) => !runtimes[runtime].includes(builtin)))
    problems.push(`${name} imports node:${builtin}, which not every runtime has that it is for (${runtime})`)
  for (const library of packages.filter((library) => !libraries.includes(library)))
    problems.push(`${name} imports ${library}, which its row does not name`)
  for (const library of libraries.filter((library) => !packages.includes(library)))
    problems.push(`${name} does not import ${library}, which its row names`)
}
for (const name of Object.keys(entryPoints).filter((name) => !published.some((entry) => entry.name === name)))
  problems.push(`${name} has a row in scripts/check-runtimes.mjs, and is no entry point`)

if (problems.length === 0) {
  await prepareRuntimes()
  const names = Object.keys(entryPoints)
  problems.push(...(await loadInServers(names)))
  problems.push(...(await loadInWorkers(names.filter((name) => entryPoints[name][0] !== 'node'))))
}
report(problems, `${published.length} entry points import what their runtimes have, and load there`)

function readEntryPoints(folder) {
  const { name, exports, peerDependencies = {} } = readJson(`${folder}/package.json`)
  return Object.entries(exports)
    .filter(([path]) => path !== './package.json')
    .map(([path, { default: file }]) => ({
      name: name + path.slice(1),
      file: join(root, folder, file),
      peers: Object.keys(peerDependencies),
    }))
}

/** What a bundle of that file still imports: modules of Node.js, and packages. Our own dependencies are in it. */
async function outside(file, peers) {
  const { metafile } = await build({
    entryPoints: [file],
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: ['node:*', 'cloudflare:*', ...builtinModules, ...peers],
    logLevel: 'error',
  })
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path))
  const isBuiltin = (path) => path.startsWith('node:') || builtinModules.includes(path)
  return {
    builtins: unique(imports.filter(isBuiltin).map((path) => path.replace('node:', ''))),
    packages: unique(imports.filter((path) => !isBuiltin(path)).map(packageOf)),
  }
}

/** `ws` for `ws/wrapper.mjs`. */
function packageOf(path) {
  return /^(?:@[^/]+\/)?[^/]+/.exec(path)[0]
}

function unique(values) {
  return [...new Set(values)]
}
