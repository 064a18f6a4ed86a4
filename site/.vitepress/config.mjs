import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { defineConfig } from 'vitepress'
import { root } from '../../scripts/bootstrap.mjs'
import { resolveLink, routeOf, sitePages, slugOf, titleOf } from '../../scripts/pages.mjs'
import { sidebar } from '../sidebar.mjs'

const icon = readFileSync(join(root, 'apps/playground/page/favicon.svg'), 'utf8')
const item = (page) => ({ text: page === 'README.md' ? 'Overview' : titleOf(page), link: routeOf(page) })

export default defineConfig({
  title: 'Sallyport',
  description: 'WebSocket authentication for TypeScript: every way in leads to one decision.',
  lang: 'en',
  head: [['link', { rel: 'icon', href: `data:image/svg+xml,${encodeURIComponent(icon)}` }]],
  // The pages are read where they are written, in the repository; nothing is copied.
  srcDir: '..',
  srcExclude: ['**/node_modules/**', 'apps/**', 'bench/**', 'examples/**', 'packages/**', 'site/**'],
  outDir: './dist',
  cacheDir: './node_modules/.cache/vitepress',
  rewrites: (page) =>
    `${routeOf(page)
      .slice(1)
      .replace(/(^|\/)$/, '$1index')}.md`,
  cleanUrls: true,
  ignoreDeadLinks: 'localhostLinks',
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    anchor: { slugify: slugOf },
    config: (md) => md.core.ruler.push('links-of-the-repository', linksOfTheRepository),
  },
  vite: { build: { chunkSizeWarningLimit: 4000 } }, // the index of the search
  themeConfig: {
    search: {
      provider: 'local',
      // A page that explains comes before a page that lists.
      options: {
        miniSearch: { searchOptions: { boostDocument: (id) => (/^\/(api|changelog)/.test(id) ? 0.3 : 1) } },
        _render: withoutColours,
      },
    },
    outline: [2, 3],
    docFooter: { prev: false, next: false }, // nobody reads them in a row
    nav: [
      { text: 'Ways in', link: routeOf('docs/ways-in.md') },
      { text: 'Client', link: routeOf('docs/client.md') },
      { text: 'API', link: '/api/' },
    ],
    sidebar: sidebar
      .map(({ text, pages, collapsed }) => ({ text, collapsed, items: pages.map(item) }))
      .concat({
        text: 'API',
        items: [{ text: 'By package', link: '/api/' }],
      }),
  },
})

/** Links lead to the page of the site where it has one, and else into the repository; one that leads nowhere fails the build. */
function linksOfTheRepository({ tokens, env }) {
  const page = relative(root, env.realPath ?? env.path)
  if (!sitePages.includes(page)) return
  for (const token of tokens.flatMap(({ children }) => children ?? [])) {
    if (token.type !== 'link_open') continue
    const href = token.attrGet('href')
    const { route, address, problem } = resolveLink(page, href)
    if (problem) throw new Error(`${page}: ${href}: ${problem}`)
    token.attrSet('href', route ?? address ?? href)
  }
}

/** A page as the search reads it: its words. To colour the code once more would be half of the time that all pages take. */
function withoutColours(source, env, md) {
  const { highlight } = md.options
  md.options.highlight = null
  try {
    return md.render(source, env)
  } finally {
    md.options.highlight = highlight
  }
}
