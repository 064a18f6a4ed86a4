// The documentation as a site, in site/dist: the pages of the repository, and a reference made of the comments in the code.
import { join } from 'node:path'
import { must, root } from './bootstrap.mjs'
import { installProject } from './install-project.mjs'

const site = join(root, 'site')
const program = (name) => join(site, 'node_modules/.bin', name)

/**
 * Builds the site. Ends the process when a link leads nowhere, or anything else is wrong. Whether the code compiles is not asked:
 * `npm run check` does.
 */
export async function buildSite() {
  await installProject(site)
  await must(program('typedoc'), ['--options', join(site, 'typedoc.json'), '--logLevel', 'Warn'])
  await must(program('vitepress'), ['build', site])
}

/** Serves what was built, until it is stopped. */
export const serveSite = () => must(program('vitepress'), ['preview', site, '--host', '127.0.0.1', '--port', '4173'])
