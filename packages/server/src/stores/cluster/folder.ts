import cluster from 'node:cluster'
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '../../support/errors.js'
import { hash } from '../../support/hash.js'

// What an address of a socket may hold on macOS; Linux takes four more.
const longestPath = 103

/**
 * The folder where the processes of an application meet: those that one process has started, which is the primary of
 * `node:cluster` or the daemon of PM2, and PM2 gives each application a name.
 */
export function folderOfSiblings(): string {
  const { pm_id, name = '' } = process.env
  const isStarted = cluster.isWorker || pm_id !== undefined
  const parent = isStarted ? process.ppid : process.pid
  return join(tmpdir(), `sallyport-${hash(`${parent} ${pm_id === undefined ? '' : name}`).slice(0, 16)}`)
}

/**
 * A folder in which nobody else can write or connect. The process behind the link of the greatest number is the holder. A
 * link is made when its process listens already, by one step that only one of many can win, and the newest is never taken
 * away: so there is one holder at most, and one that cannot be reached is gone for good.
 */
export class MeetingPlace {
  readonly #folder: string

  /** @throws ConfigurationError when the folder is somebody else's, or open to others */
  constructor(folder: string) {
    this.#folder = folder
    if (Buffer.byteLength(this.socket('12345678')) > longestPath) {
      throw new ConfigurationError(
        'cluster-store-folder',
        `clusterStore: ${folder} is too long for a socket in it; give it a shorter folder`,
      )
    }
    this.prepare()
  }

  /** Makes the folder where there is none. Throws when it is somebody else's, or open to others. */
  prepare(): void {
    const folder = this.#folder
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const found = lstatSync(folder)
    if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0) {
      throw new ConfigurationError(
        'cluster-store-folder',
        `clusterStore: others can write into ${folder}; give it a folder of your own, with the mode 0700`,
      )
    }
  }

  /** The path of the socket of that name. */
  socket(name: string): string {
    return join(this.#folder, `${name}.sock`)
  }

  /** The number of the newest holder; 0 when there was none. */
  newest(): number {
    return Math.max(0, ...this.#numbers())
  }

  /** The path by which a holder is reached. */
  link(number: number): string {
    return join(this.#folder, `${number}`)
  }

  /** Makes the process that listens at the socket of that name the holder of that number. Whether it was the first to. */
  claim(number: number, name: string): boolean {
    chmodSync(this.socket(name), 0o600)
    try {
      symlinkSync(this.socket(name), this.link(number))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
    for (const old of this.#numbers()) if (old < number) this.#clear(old)
    return true
  }

  /** Whether the newest link is that one, and leads to the socket of that name. */
  isHeldBy(number: number, name: string): boolean {
    try {
      return (
        this.newest() === number &&
        readlinkSync(this.link(number)) === this.socket(name) &&
        existsSync(this.socket(name))
      )
    } catch {
      return false
    }
  }

  #numbers(): number[] {
    return readdirSync(this.#folder).flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
  }

  /** Another may do the same. */
  #clear(number: number): void {
    try {
      rmSync(readlinkSync(this.link(number)), { force: true })
      rmSync(this.link(number), { force: true })
    } catch {}
  }
}
