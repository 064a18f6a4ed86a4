// The pages of the documentation: where each stands in the repository and on the site, and where its links lead. The site and
// the check of the links both ask here, so that a link leads to the same place on either.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'
import { readJson, root } from './bootstrap.mjs'

const isPage = (path) => path.endsWith('.md')
const markdownIn = (folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .map((path) => join(folder, path.replaceAll('\\', '/')))
    .filter((path) => isPage(path) && !path.includes('node_modules/') && !path.startsWith('docs/api/')) // written by a tool
    .sort()

/** The pages of the site, by their paths in the repository. */
export const sitePages = [...readdirSync(root).filter(isPage), ...markdownIn('docs')]

/** All pages: those of the packages and of the examples are read in the repository alone. */
export const pages = [...sitePages, ...markdownIn('packages'), 'examples/README.md']

/** Where the site has a page: the `/` that it begins with is the site's own. */
export const routeOf = (page) => {
  const path = page.startsWith('docs/') ? page.slice('docs/'.length) : page.toLowerCase()
  return `/${path.slice(0, -'.md'.length)}`.replace(/\/(?:readme|index)$/, '/')
}

/** The heading that a page has itself. */
export const titleOf = (page) => plain(/^# (.+)$/m.exec(read(page))?.[1] ?? page)

/** The name of a heading in an address, as GitHub makes it. */
export const slugOf = (heading) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
    .replaceAll(' ', '-')

/** The addresses of the links of a page, with the line of each. */
export const linksOf = (page) =>
  prose(read(page)).flatMap((text, index) =>
    [...text.matchAll(/\]\(([^)\s]+)\)|<([a-z]+:[^>\s]+)>|\b(?:src|href|srcset)="([^"\s]+)"/g)].map((found) => ({
      href: found[1] ?? found[2] ?? found[3],
      line: index + 1,
    })),
  )

/** The cases that a page names, such as `A17`, with the link that each is: the file where its tests are. */
export const casesOf = (page) =>
  prose(read(page)).flatMap((text, index) =>
    [...text.matchAll(/\[`([A-K]\d{2})`\]\(([^)\s]+)\)/g)].map(([, id, href]) => ({ id, href, line: index + 1 })),
  )

/**
 * Where a link of a page leads: another page of the site by its `route`, anything else of the repository by its `address`
 * there, or nowhere, for a `problem`. Links to other hosts are nobody's.
 */
export function resolveLink(page, href) {
  if (/^[a-z]+:/i.test(href))
    return /^http:(?!\/\/(localhost|127\.0\.0\.1)\b)/.test(href) ? { problem: 'not https' } : {}
  const [path, anchor] = href.split('#')
  const target = path === '' ? page : join(dirname(page), path)
  if (target.startsWith('..') || !existsSync(join(root, target))) return { problem: 'nothing is there' }
  if (anchor && !(isPage(target) && anchorsOf(target).includes(anchor))) return { problem: 'no such heading' }
  const suffix = anchor ? `#${anchor}` : ''
  if (sitePages.includes(target)) return { route: routeOf(target) + suffix }
  return { address: `${repository}/blob/main/${target}${suffix}` }
}

/** Where the repository is on the web. */
export const repository = readJson('packages/server/package.json').homepage.replace(/#.*/, '')

function anchorsOf(page) {
  const seen = {}
  return prose(read(page)).flatMap((line) => {
    const heading = /^#{1,6} (.+)$/.exec(line)?.[1]
    if (!heading) return []
    const slug = slugOf(plain(heading))
    seen[slug] = (seen[slug] ?? -1) + 1
    return [seen[slug] === 0 ? slug : `${slug}-${seen[slug]}`]
  })
}

/** The lines of a page; those of its code are empty. */
function prose(text) {
  let fence
  return text.split('\n').map((line) => {
    const marks = /^\s*(`{3,}|~{3,})/.exec(line)?.[1]
    if (fence) {
      if (marks?.startsWith(fence)) fence = undefined
      return ''
    }
    fence = marks
    return marks ? '' : line
  })
}

/** A heading without its marks. */
const plain = (heading) => heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '')

function read(page) {
  return readFileSync(join(root, page), 'utf8')
}
