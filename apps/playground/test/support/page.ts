import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const script = fileURLToPath(new URL('../../build.mjs', import.meta.url))

/** Builds the page as `npm run build` does, but into `directory`. */
export async function buildPage(directory: string): Promise<void> {
  await promisify(execFile)(process.execPath, [script, directory])
}

/** A directory outside the repository, where a test may write. */
export async function temporaryDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'sallyport-'))
  return { path, remove: () => rm(path, { recursive: true }) }
}
