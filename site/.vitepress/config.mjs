import { readdirSync, readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'

const page = (text, link) => ({ text, link })

/** A page for each stack, by the title it has itself. */
const folder = new URL('../../docs/stacks/', import.meta.url)
const stacks = readdirSync(folder).map((file) =>
  page(
    /^# (.+)$/m.exec(readFileSync(new URL(file, folder), 'utf8'))[1],
    `/docs/stacks/${file.slice(0, -'.md'.length)}`,
  ),
)

export default defineConfig({
  title: 'Sallyport',
  description: 'WebSocket authentication for TypeScript: every way in leads to one decision.',
  // The pages are read where they are written, in the repository; nothing is copied.
  srcDir: '..',
  srcExclude: ['**/node_modules/**', 'apps/**', 'bench/**', 'examples/**', 'packages/**', 'site/**'],
  outDir: './dist',
  cacheDir: './node_modules/.cache/vitepress',
  rewrites: {
    'README.md': 'index.md',
    'PROTOCOL.md': 'protocol.md',
    'SECURITY.md': 'security.md',
    'CHANGELOG.md': 'changelog.md',
    'CONTRIBUTING.md': 'contributing.md',
  },
  // Folders of the repository, which the site does not have.
  ignoreDeadLinks: [/^(?:\.\/)?\.\.\/(?:scripts|bench)\//],
  cleanUrls: true,
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [page('Ways in', '/docs/ways-in'), page('Client', '/docs/client'), page('API', '/docs/api/')],
    sidebar: [
      {
        text: 'Start',
        items: [
          page('In five minutes', '/'),
          page('The ways in', '/docs/ways-in'),
          page('Logins', '/docs/logins'),
          page('Identity providers', '/docs/identity-providers'),
          page('The client', '/docs/client'),
          page('On your server', '/docs/servers'),
          page('Other protocols', '/docs/dialects'),
        ],
      },
      { text: 'Your stack', items: stacks },
      {
        text: 'In production',
        items: [
          page('Live connections', '/docs/live-connections'),
          page('Events, logs, metrics', '/docs/events'),
          page('Many nodes', '/docs/scaling'),
          page('Proxies', '/docs/proxies'),
          page('Testing yours', '/docs/testing'),
          page('Security', '/security'),
        ],
      },
      {
        text: 'Reference',
        items: [
          page('API', '/docs/api/'),
          page('Protocol', '/protocol'),
          page('Benchmarks', '/docs/benchmarks'),
          page('Mutation', '/docs/mutation'),
          page('Dependencies', '/docs/dependencies'),
          page('Changes', '/changelog'),
          page('Contributing', '/contributing'),
        ],
      },
    ],
  },
})
