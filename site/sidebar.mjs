// What the site has, by what one wants to do. A page is called by its own heading, and stands here once. The pages of
// errors are listed by docs/errors.md.
import { sitePages, titleOf } from '../scripts/pages.mjs'

const under = (folder) =>
  sitePages.filter((page) => page.startsWith(folder)).sort((a, b) => titleOf(a).localeCompare(titleOf(b)))

export const sidebar = [
  {
    text: 'Start',
    pages: ['README.md', 'docs/start.md', 'docs/ways-in.md', 'docs/migration.md'],
  },
  { text: 'Your stack', pages: under('docs/stacks/') },
  {
    text: 'Who it is',
    pages: ['docs/logins.md', 'docs/identity-providers.md', 'docs/verifiers.md'],
  },
  {
    text: 'Clients',
    pages: ['docs/client.md', ...under('docs/clients/'), 'docs/dialects.md'],
  },
  {
    text: 'Servers',
    pages: [
      'docs/servers.md',
      'docs/permissions.md',
      'docs/live-connections.md',
      'docs/revocation.md',
      'docs/limits.md',
      'docs/testing.md',
    ],
  },
  {
    text: 'Operations',
    pages: [
      'docs/proxies.md',
      'docs/scaling.md',
      'docs/shutdown.md',
      'docs/events.md',
      'docs/metrics.md',
      'docs/runbook.md',
      'docs/errors.md',
    ],
  },
  {
    text: 'Reference',
    pages: ['PROTOCOL.md', 'SECURITY.md', 'docs/versions.md', 'docs/benchmarks.md', 'CHANGELOG.md'],
  },
  {
    text: 'The project',
    pages: ['CONTRIBUTING.md', 'CODE_OF_CONDUCT.md', 'docs/mutation.md', 'docs/dependencies.md'],
  },
]

export const sidebarPages = sidebar.flatMap(({ pages }) => pages)
