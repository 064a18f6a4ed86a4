// What every command needs first: the right Node, the locked dependencies, a build, and the programs that tests drive.
// Written in syntax that an old Node can read, so that it can say that it is too old.
import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { constants as os } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** Scratch space for the scripts: ignored by git, gone with `node_modules`. */
export const cache = join(root, 'node_modules/.cache/sallyport')

/**
 * Programs from outside npm. Each is taken from its environment variable, else from PATH, else installed from its
 * Debian package; the tests find it in the environment variable.
 */
const programs = [
  { variable: 'REDIS_SERVER_PATH', commands: ['redis-server', 'valkey-server'], debian: 'redis-server' },
  { variable: 'NGINX_PATH', commands: ['nginx'], debian: 'nginx-light', folders: () => ['/usr/sbin'] },
  { variable: 'HAPROXY_PATH', commands: ['haproxy'], debian: 'haproxy', folders: () => ['/usr/sbin'] },
  { variable: 'CADDY_PATH', commands: ['caddy'], debian: 'caddy' },
  { variable: 'POSTGRES_PATH', commands: ['postgres'], debian: 'postgresql', folders: postgresFolders },
  { variable: 'CHROMIUM_PATH', commands: ['chromium', 'chromium-browser', 'google-chrome'], debian: 'chromium' },
  { variable: 'FIREFOX_PATH', commands: ['firefox-esr', 'firefox'], debian: 'firefox-esr' },
  { variable: 'WEBKIT_DRIVER_PATH', commands: ['WebKitWebDriver'], debian: 'webkit2gtk-driver' },
  { variable: 'XVFB_PATH', commands: ['Xvfb'], debian: 'xvfb' },
]

/** Where Debian has the server of PostgreSQL, which it does not put on PATH; the newest version first. */
function postgresFolders() {
  const versions = '/usr/lib/postgresql'
  if (!existsSync(versions)) return []
  const newestFirst = readdirSync(versions).sort((one, other) => Number(other) - Number(one))
  return newestFirst.map((version) => join(versions, version, 'bin'))
}

/** Other versions of Node.js, from npm, each by its environment variable: they run tests, and their own WebSocket is driven. */
const nodes = { NODE_22_PATH: '22.23.5', NODE_24_PATH: '24.22.3', NODE_26_PATH: '26.12.1' }

/** Runtimes that the tests run in, from npm; each by its environment variable. Together 350 MB, fetched once. */
const runtimes = [
  {
    variable: 'BUN_PATH',
    version: '1.4.5',
    linux: { x64: '@oven/bun-linux-x64', arm64: '@oven/bun-linux-aarch64' },
    program: 'bin/bun',
  },
  {
    variable: 'DENO_PATH',
    version: '2.9.6',
    linux: { x64: '@deno/linux-x64-glibc', arm64: '@deno/linux-arm64-glibc' },
    program: 'deno',
  },
  {
    variable: 'WORKERD_PATH',
    version: '1.20261117.1',
    linux: { x64: '@cloudflare/workerd-linux-64', arm64: '@cloudflare/workerd-linux-arm64' },
    program: 'bin/workerd',
  },
]

/** Node as `package.json` asks for it, the dependencies of the lockfile, and everything built. Ends the process otherwise. */
export async function bootstrap() {
  requireNode()
  if (!installed()) await must('npm', ['ci', '--include=dev'])
  await must('npm', ['run', '--silent', 'build'])
}

/**
 * Finds programs by their Debian packages, all of them unless some are named, installing what is missing, and names each
 * in the environment. Ends the process otherwise.
 */
export async function preparePrograms(...packages) {
  const wanted = programs.filter(({ debian }) => packages.length === 0 || packages.includes(debian))
  const missing = wanted.filter((program) => !find(program)).map((program) => program.debian)
  if (missing.length > 0) await installDebian(missing)
  for (const program of wanted) {
    const path = find(program)
    if (!path) fail(`The Debian package ${program.debian} has none of these commands: ${program.commands.join(', ')}.`)
    process.env[program.variable] = path
  }
}

/** Fetches the other versions of Node.js, names each in the environment, and tells them, the newest last. Ends the process otherwise. */
export async function prepareNodes() {
  const name = `node-${process.platform}-${process.arch}`
  for (const [variable, version] of Object.entries(nodes)) {
    const folder = join(cache, `node-${version}`)
    const path = join(folder, 'node_modules', name, 'bin/node')
    if (!find({ variable, commands: [] }) && !isExecutable(path)) {
      if (process.platform !== 'linux') fail(`This needs Node.js ${version}: name it in ${variable}.`)
      await must('npm', ['install', '--prefix', folder, '--no-save', '--ignore-scripts', `${name}@${version}`])
    }
    process.env[variable] ||= path
  }
  return Object.entries(nodes).map(([variable, version]) => ({ version, path: process.env[variable] }))
}

/**
 * Fetches the runtimes, all of them unless some are named by their variables, and names each in the environment. Ends the
 * process otherwise.
 */
export async function prepareRuntimes(...variables) {
  for (const { variable, version, linux, program } of runtimes) {
    if (variables.length > 0 && !variables.includes(variable)) continue
    const name = process.platform === 'linux' ? linux[process.arch] : undefined
    if (find({ variable, commands: [] })) continue
    if (!name) fail(`This needs a runtime of version ${version}: name it in ${variable}.`)
    const folder = join(cache, `${variable}-${version}`)
    const path = join(folder, 'node_modules', name, program)
    if (!isExecutable(path)) {
      await must('npm', ['install', '--prefix', folder, '--no-save', '--ignore-scripts', `${name}@${version}`])
    }
    process.env[variable] = path
  }
}

/** Runs a program on this terminal and resolves to its exit code. A signal that reaches us is passed on to it. */
export function run(command, args, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, stdio: 'inherit' })
    const forward = (signal) => child.kill(signal)
    process.on('SIGINT', forward).on('SIGTERM', forward)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      process.off('SIGINT', forward).off('SIGTERM', forward)
      resolve(signal ? 128 + os.signals[signal] : code)
    })
  })
}

/** Says what is wrong and how to mend it, and ends the process with 1. */
export function fail(message) {
  console.error(message)
  process.exit(1)
}

/** A JSON file of the repository, by its path from the root. */
export function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'))
}

/** Runs a program on this terminal. Ends the process unless it ends well. */
export async function must(command, args, env) {
  const code = await run(command, args, env)
  if (code !== 0) process.exit(code)
}

function requireNode() {
  const needed = readJson('package.json').engines.node
  const [least, actual] = [needed, process.versions.node].map((version) => {
    const [major, minor] = version.match(/\d+/g).map(Number)
    return major * 1000 + minor
  })
  if (actual < least) fail(`Sallyport needs Node ${needed}; this is Node ${process.versions.node}.`)
}

/**
 * Whether `node_modules` holds what the lockfile says. npm keeps a lockfile of what it installed; that it names a
 * package does not mean that the package is still there, so each is looked at too. This covers the workspace links.
 */
function installed() {
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return false
  const present = readJson('node_modules/.package-lock.json').packages
  return Object.entries(readJson('package-lock.json').packages)
    .filter(([path]) => path.includes('node_modules/'))
    .every(([path, wanted]) => {
      const found = present[path]
      if (!found) return wanted.optional === true // built for another platform
      const same = found.version === wanted.version && found.integrity === wanted.integrity
      return same && existsSync(join(root, path, 'package.json'))
    })
}

/** The path of a program, or undefined. A path given in the environment is never replaced by another. */
function find({ variable, commands, folders: others = () => [] }) {
  const given = process.env[variable]
  if (given) return isExecutable(given) ? given : fail(`${variable} is ${given}, which cannot be run.`)
  const folders = [...(process.env.PATH || '').split(delimiter).filter(Boolean), ...others()]
  return commands.flatMap((command) => folders.map((folder) => join(folder, command))).find(isExecutable)
}

async function installDebian(packages) {
  const update = ['update']
  const install = ['install', '-y', '--no-install-recommends', ...packages]
  if (!find({ commands: ['apt-get'] }) || process.getuid() !== 0) {
    const variables = programs.filter(({ debian }) => packages.includes(debian)).map(({ variable }) => variable)
    fail(
      [
        `This needs ${packages.join(', ')}. On Debian or Ubuntu:`,
        `  sudo apt-get ${update.join(' ')} && sudo apt-get ${install.join(' ')}`,
        `Elsewhere install it your way; if it is not on PATH, name it in ${variables.join(', ')}.`,
      ].join('\n'),
    )
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await must('apt-get', update, env)
  await must('apt-get', install, env)
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
