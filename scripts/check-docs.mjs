// Type-checks every snippet of the documentation against the built packages, as a reader's own strict project would.
//
// A fenced block tagged `ts`, `tsx` or `js` is a file of its own. After the tag it may say
//   continue         it goes on where the previous block of its page stopped
//   example NAME     it is compiled where that example's server stands, and what it does there the server does too;
//                    behind NAME may stand another file of the example
//   file NAME/FILE   it is that file of the examples, whole, which is compiled there; of any language
//   no-check REASON  it is not checked, and why

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cache, root } from './bootstrap.mjs'
import { report } from './report.mjs'

const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...markdownIn('docs'),
  ...markdownIn('packages'),
]

const compilerOptions = {
  strict: true,
  noEmit: true,
  target: 'ES2022',
  lib: ['ES2023', 'DOM', 'DOM.Iterable'],
  types: ['node'],
  module: 'NodeNext',
  jsx: 'react-jsx',
  allowJs: true,
  checkJs: true,
  skipLibCheck: true, // check-packages checks the declarations
}

/** The options of the examples, whose stacks stand beside them. */
const exampleOptions = {
  ...compilerOptions,
  checkJs: false,
  module: 'Preserve',
  moduleResolution: 'Bundler',
  experimentalDecorators: true,
}

const problems = []
/** What says to be a file of the examples. */
const copies = []
const snippets = pages.flatMap(readSnippets)
if (snippets.length === 0) problems.push('No snippet found')
else problems.push(...copies.flatMap(strayCopy), ...snippets.flatMap(strayLines), ...compile(snippets))
report(problems, `${snippets.length} snippets in ${new Set(snippets.map(({ page }) => page)).size} pages compile`)

function markdownIn(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .filter((path) => path.endsWith('.md') && !path.includes('node_modules') && !path.startsWith('api/')) // written by a tool
    .map((path) => join(folder, path))
}

/**
 * The programs of a page: `{ page, name, text, example }`. Each stands in its file on the lines where it stands in the page, so
 * that the compiler's line numbers are the page's.
 */
function readSnippets(page) {
  const lines = readFileSync(join(root, page), 'utf8').split('\n')
  const found = []
  let fence
  lines.forEach((line, index) => {
    if (fence) {
      if (line.trim().startsWith(fence.marks) && line.trim().replaceAll(fence.marks[0], '') === '') fence = undefined
      else if (fence.snippet) fence.snippet.lines[index] = line
      return
    }
    const [, marks, info] = /^\s*(`{3,}|~{3,})\s*([^`]*)$/.exec(line) ?? []
    if (marks) fence = { marks, snippet: open(info.trim(), index) }
  })
  if (fence) problems.push(`${page}: a code fence is never closed`)
  return found.map(({ name, example, lines }) => ({
    page,
    name,
    example,
    text: Array.from(lines, (line) => line ?? '').join('\n'),
  }))

  function open(info, index) {
    const [language, word, ...reason] = info.split(/\s+/)
    const at = `${page}:${index + 1}`
    if (word === 'file') {
      copies.push({ at, file: `examples/${reason}`, lines: [] })
      return copies.at(-1)
    }
    if (/^(typescript|javascript|[cm][jt]s|jsx)$/.test(language)) problems.push(`${at}: tag it ts, tsx or js`)
    if (!/^(ts|tsx|js)$/.test(language)) return undefined
    if (word === 'no-check') {
      if (reason.length === 0) problems.push(`${at}: no-check needs its reason`)
      return undefined
    }
    if (word === 'continue') {
      if (found.length === 0) problems.push(`${at}: there is no block to continue`)
      return found.at(-1)
    }
    if (word === 'example') {
      const [name = '', file = 'server.ts'] = reason
      const example = join('examples', name, file)
      if (existsSync(join(root, example))) {
        found.push({ name: `.${page.replaceAll('/', '~')}.${index + 1}.${language}`, example, lines: [] })
        return found.at(-1)
      }
      problems.push(`${at}: there is no ${example}`)
      return undefined
    }
    if (word) problems.push(`${at}: “${word}” is not known here`)
    found.push({ name: `${page}.${index + 1}.${language}`, lines: [] })
    return found.at(-1)
  }
}

function strayCopy({ at, file, lines }) {
  const path = join(root, file)
  if (!existsSync(path)) return [`${at}: there is no ${file}`]
  const isSame = `${Object.values(lines).join('\n')}\n` === readFileSync(path, 'utf8')
  return isSame ? [] : [`${at}: ${file} says something else`]
}

/** The lines of a snippet that its example does not have, in that order: imports and declarations are the page's own. */
function strayLines({ page, example, text }) {
  if (!example) return []
  const server = readFileSync(join(root, example), 'utf8').split('\n')
  let at = 0
  return text.split('\n').flatMap((line, index) => {
    if (/^(import|declare|$|\s*\/\/)/.test(line)) return []
    const found = server.indexOf(line, at)
    if (found === -1) return [`${page}:${index + 1}: ${example} does not say this, or not here`]
    at = found + 1
    return []
  })
}

/**
 * Compiles the snippets in a scratch folder inside the workspace, where `@sallyport/*` resolves, or beside the file of their
 * example, and returns the errors.
 */
function compile(snippets) {
  const folder = join(cache, 'docs')
  const [beside, alone] = [true, false].map((isBeside) => snippets.filter(({ example }) => !!example === isBeside))
  const paths = beside.map(({ example, name }) => join(root, dirname(example), name))
  rmSync(folder, { recursive: true, force: true })
  try {
    for (const { name, text } of alone) write(join(folder, name), text)
    beside.forEach(({ text }, index) => {
      write(paths[index], text)
    })
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    return [
      ...check({ compilerOptions, files: alone.map(({ name }) => name) }),
      ...(beside.length > 0
        ? check({ compilerOptions: exampleOptions, files: [...paths, join(root, 'examples/runtimes.d.ts')] })
        : []),
    ]
  } finally {
    for (const path of [folder, ...paths]) rmSync(path, { recursive: true, force: true })
  }

  function write(path, text) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${text}\nexport {}\n`) // the last line makes a module of a snippet without imports
  }

  function check(config) {
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const tsc = join(root, 'node_modules/.bin/tsc')
    const { status, stdout, stderr } = spawnSync(tsc, ['--pretty', 'false'], { cwd: folder, encoding: 'utf8' })
    if (status === 0) return []
    return `${stdout}${stderr}`
      .trim()
      .split('\n')
      .map((line) =>
        line
          .replace(/^.*examples\/.+\/\.(docs~)/, '$1')
          .replace(
            /^(.+\.md)\.\d+\.[a-z]+\((\d+),(\d+)\)/,
            (_, page, row, column) => `${page.replaceAll('~', '/')}:${row}:${column}`,
          ),
      )
  }
}
