// Every stack has its page, found by its name in README, and every page has the same parts; every example is in a page.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './bootstrap.mjs'
import { examples } from './examples.mjs'
import { sitePages } from './pages.mjs'
import { report } from './report.mjs'

const parts = {
  'what to install': /^(npm install|bun add|deno add) .*@sallyport\/server/m,
  'The client': /^## The client$/m,
  'The identity': /^## The identity$/m,
  'Your test': /^## Your test$/m,
  'What it cannot do': /^## What (.+ cannot do|is not carried over)$/m,
}

const readme = readFileSync(join(root, 'README.md'), 'utf8')
const pages = sitePages.filter((page) => page.startsWith('docs/stacks/'))
const texts = pages.map((page) => readFileSync(join(root, page), 'utf8'))
const problems = pages.flatMap((page, index) => [
  ...Object.entries(parts)
    .filter(([, form]) => !form.test(texts[index]))
    .map(([part]) => `${page}: it does not say ${JSON.stringify(part)}`),
  ...(readme.includes(`](${page})`) ? [] : [`README.md: nothing leads to ${page}`]),
])
const clients = sitePages.filter((page) => page.startsWith('docs/clients/'))
const all = [...texts, ...clients.map((page) => readFileSync(join(root, page), 'utf8'))]
for (const { name } of examples) {
  if (!all.some((text) => text.includes(`npm run example ${name}\``)))
    problems.push(`examples/${name}: no page names it`)
}
report(problems, `${pages.length} pages of stacks have all their parts, and ${examples.length} examples are in them`)
