// What the figures depend on: the machine, the versions, and which core does what.
import { spawnSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { readJson } from '../scripts/bootstrap.mjs'

const cores = cpus().length
const hasTaskset = spawnSync('taskset', ['--version']).status === 0
/** Whether servers and load have a core each. */
export const isPinned = hasTaskset && cores > 1

/** The command that runs on the core of the servers: the first. */
export const onServerCore = (command) => (isPinned ? ['taskset', '-c', '0', ...command] : command)

/** Takes this process, which makes the load, to the second core. */
export function takeLoadCore() {
  if (isPinned) spawnSync('taskset', ['-a', '-c', '-p', '1', String(process.pid)])
}

export function describeMachine() {
  const [{ model }] = cpus()
  return {
    cpu: model.trim(),
    cores,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    /** Of the minute before: what else the machine does, the figures pay for. */
    loadAverage: Math.round(loadavg()[0] * 10) / 10,
    system: `${process.platform} ${release()} ${process.arch}`,
    pinned: isPinned ? 'server on core 0, load on core 1' : 'no: the system places server and load',
  }
}

/** The versions of everything that is measured. */
export function describeVersions() {
  const names = Object.keys(readJson('bench/package.json').dependencies)
  const versions = names.map((name) => [name, installed(name)])
  return { node: process.versions.node, openssl: process.versions.openssl, ...Object.fromEntries(versions) }
}

const installed = (name) =>
  [`bench/node_modules/${name}`, `node_modules/${name}`].map(readVersion).find((version) => version !== undefined)

function readVersion(folder) {
  try {
    return readJson(`${folder}/package.json`).version
  } catch {
    return undefined
  }
}
