// What the site has, by what one wants to do. A page is called by its own heading, and stands here once.
import { sitePages, titleOf } from '../scripts/pages.mjs'

const under = (folder) =>
  sitePages.filter((page) => page.startsWith(folder)).sort((a, b) => titleOf(a).localeCompare(titleOf(b)))

export const sidebar = [
  {
    text: 'Start',
    pages: ['README.md', 'docs/ways-in.md'],
  },
  { text: 'Your stack', pages: under('docs/stacks/') },
  {
    text: 'Who signs in',
    pages: ['docs/logins.md', 'docs/identity-providers.md'],
  },
  {
    text: 'The page and the server',
    pages: ['docs/client.md', 'docs/servers.md', 'docs/live-connections.md', 'docs/dialects.md', 'docs/testing.md'],
  },
  {
    text: 'Operations',
    pages: ['docs/proxies.md', 'docs/scaling.md', 'docs/events.md'],
  },
  {
    text: 'Reference',
    pages: ['PROTOCOL.md', 'SECURITY.md', 'docs/benchmarks.md', 'CHANGELOG.md'],
  },
  {
    text: 'The project',
    pages: ['CONTRIBUTING.md', 'docs/mutation.md', 'docs/dependencies.md'],
  },
]

export const sidebarPages = sidebar.flatMap(({ pages }) => pages)
