// Every link between the pages leads somewhere, to the heading too, that of a case to a file that tests it, and every page of
// the site is in its sidebar, once.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { sidebarPages } from '../site/sidebar.mjs'
import { root } from './bootstrap.mjs'
import { casesOf, linksOf, pages, resolveLink, sitePages } from './pages.mjs'
import { report } from './report.mjs'

const links = pages.flatMap((page) => linksOf(page).map((link) => ({ page, ...link })))
const problems = links.flatMap(({ page, line, href }) => {
  const { problem } = resolveLink(page, href)
  return problem ? [`${page}:${line}: ${href}: ${problem}`] : []
})
for (const { page, id, href, line } of pages.flatMap((page) => casesOf(page).map((one) => ({ page, ...one })))) {
  if (resolveLink(page, href).problem) continue
  const tests = readFileSync(join(root, dirname(page), href), 'utf8')
  const isTested = new RegExp(`['\`](?:[A-K]\\d{2} )*${id} `).test(tests)
  if (!isTested) problems.push(`${page}:${line}: ${href}: no test of ${id}`)
}
for (const page of sitePages.filter((page) => !page.startsWith('docs/errors/'))) {
  const times = sidebarPages.filter((listed) => listed === page).length
  if (times !== 1) problems.push(`${page}: it stands ${times} times in site/sidebar.mjs`)
}
for (const page of sidebarPages) if (!sitePages.includes(page)) problems.push(`site/sidebar.mjs: there is no ${page}`)
if (links.length === 0) problems.push('No link found')
report(problems, `${links.length} links of ${pages.length} pages lead somewhere`)
