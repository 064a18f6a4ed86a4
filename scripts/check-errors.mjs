// Every reason of a refusal and every configuration error has its page in docs/errors, and no page is of none. What a page says
// of codes, and the list of all pages, are written by this script: `node scripts/check-errors.mjs --write`.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codes } from '../packages/protocol/dist/index.js'
import { reasons } from '../packages/server/dist/refusals/reasons.js'
import { configurationCodes } from '../packages/server/dist/support/configuration-codes.js'
import { helpAddress } from '../packages/server/dist/support/help.js'
import { root } from './bootstrap.mjs'
import { repository } from './pages.mjs'
import { report } from './report.mjs'

const folder = 'docs/errors'
const write = process.argv.includes('--write')
const clientDoes = {
  'retry-once': 'asks for a new credential, tries once more, then stops',
  reconnect: 'asks for a new credential and reconnects at once',
  jitter: 'reconnects after a random delay',
  'back-off': 'backs off',
  wait: 'waits as `Retry-After` says',
  stop: 'stops',
}
const problems = []

const entries = [
  ...Object.entries(reasons).map(([slug, code]) => ({ slug, facts: factsOfRefusal(code), row: rowOfRefusal(code) })),
  ...configurationCodes.map((slug) => ({ slug, facts: 'A `ConfigurationError`, thrown at start.' })),
]
for (const entry of entries) {
  const page = `${folder}/${entry.slug}.md`
  if (!existsSync(join(root, page))) problems.push(`${page}: there is none`)
  else entry.says = readPage(page, entry)
  const address = `${repository}/blob/main/${page}`
  if (helpAddress(entry.slug) !== address) problems.push(`${page}: an error says that it is ${helpAddress(entry.slug)}`)
}
for (const file of readdirSync(join(root, folder))) {
  const slug = file.replace(/\.md$/, '')
  if (!entries.some((entry) => entry.slug === slug)) problems.push(`${folder}/${file}: no error is called so`)
}
keep('docs/errors.md', indexOf(entries))
report(problems, `${entries.length} errors have their pages`)

/** What a page says in one sentence, which stands under its title and the facts. */
function readPage(page, { slug, facts }) {
  const [, , , , ...text] = readFileSync(join(root, page), 'utf8').split('\n')
  keep(page, [`# ${slug}`, '', facts, '', ...text].join('\n'))
  const says = text.slice(0, text.indexOf('')).join(' ')
  if (!/^\S.*\.$/.test(says)) problems.push(`${page}:5: the sentence that says what it is`)
  return says
}

/** Writes a page as it should be, or tells that it is not. */
function keep(page, text) {
  const path = join(root, page)
  if (readFileSync(path, 'utf8') === text) return
  if (write) writeFileSync(path, text)
  else problems.push(`${page}: not as the code says: run node scripts/check-errors.mjs --write`)
}

function factsOfRefusal(code) {
  const { status, close, action } = codes[code]
  const told = [status && `HTTP ${status}`, close && `Close ${close}`].filter(Boolean).join(', ')
  return `A refusal with the code \`${code}\`: ${told}. The client ${clientDoes[action]}.`
}

function rowOfRefusal(code) {
  const { status, close } = codes[code]
  return `\`${code}\` | ${status ?? '–'} | ${close ?? '–'}`
}

function indexOf(entries) {
  const link = (slug) => `[\`${slug}\`](errors/${slug}.md)`
  const list = (wanted, line) => entries.filter((entry) => !!entry.row === wanted).map(line)
  return `# Errors and refusals

Each has a page with its causes and what to do. The address of the page stands in the message of a \`ConfigurationError\`, and as
\`help\` in the lines of [\`logRefusals\`](events.md).

## Refusals

Why a handshake, a first message or a call of a route was refused: the \`reason\` of the \`refused\` event. The client is told the
code alone, and what is wrong with the form of its request.

| reason | code | HTTP | Close | says |
|---|---|---|---|---|
${list(true, ({ slug, row, says }) => `| ${link(slug)} | ${row} | ${says} |`).join('\n')}

## Configuration errors

Options that cannot work or are not safe. They are thrown at start, and have a \`code\`.

| code | says |
|---|---|
${list(false, ({ slug, says }) => `| ${link(slug)} | ${says} |`).join('\n')}
`
}
