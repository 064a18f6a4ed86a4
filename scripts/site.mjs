// The documentation as a site, in site/dist: the pages of the repository, and a reference made of the comments in the code.
import { join } from 'node:path'
import { root, run } from './bootstrap.mjs'
import { installProject } from './install-project.mjs'

const site = join(root, 'site')
const program = (name) => join(site, 'node_modules/.bin', name)

/**
 * Builds the site. Ends the process when a link leads nowhere, or anything else is wrong. Whether the code compiles is not asked:
 * `npm run check` does.
 */
export async function buildSite() {
  await installProject(site)
  await must('typedoc', '--options', join(site, 'typedoc.json'), '--logLevel', 'Warn')
  await must('vitepress', 'build', site)
}

/** Serves what was built, until it is stopped. */
export const serveSite = () => must('vitepress', 'preview', site, '--host', '127.0.0.1', '--port', '4173')

async function must(name, ...args) {
  const code = await run(program(name), args)
  if (code !== 0) process.exit(code)
}
