// The figures as people read them: the table of the terminal, and the page with its chart.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../scripts/bootstrap.mjs'
import { drawChart } from './chart.mjs'

const page = join(root, 'docs/benchmarks.md')
const chart = join(root, 'docs/images/benchmarks.svg')
const begin = '<!-- written by `npm run bench -- --write` -->'
const end = '<!-- end of what was written -->'
const image =
  '![Upgrades a second of CPU beside bare ws, for each way in, its peers and the runtime](images/benchmarks.svg)'

export function printHead(head) {
  for (const line of headLines(head)) console.log(line)
}

/** Prints the rows of a scenario. */
export function printRows([first, ...more]) {
  if (!first) return
  const { scenario, unit } = first
  console.log(`\n${scenario}${more.every((row) => row.unit === unit) ? `: ${unit}` : ''}`)
  const table = [columns, ...cellsOf([first, ...more])]
  const widths = columns.map((_, i) => Math.max(...table.map((cells) => cells[i].length)))
  for (const cells of table) {
    console.log(`  ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}`)
  }
}

/** Prints how many goals are met, and those that are not. */
export function printGoals(rows) {
  const asked = rows.filter(({ goal }) => goal)
  const missed = asked.filter(({ goal }) => !goal.met)
  console.log(`\n${asked.length - missed.length} of ${asked.length} goals met`)
  for (const row of missed) console.log(`  missed: ${row.scenario}: ${row.row}: ${goalOf(row)}`)
}

/** Says which ratios changed so much from round to round that this machine cannot tell them. */
export function printUnsteady(rows) {
  const unsteady = rows.filter(({ ratio, likely }) => likely && (likely[1] - likely[0]) / ratio > tolerated)
  console.log(`\n${unsteady.length} ratios are unsteady on this machine: they lie within more than 20 % of their value`)
  for (const row of unsteady) console.log(`  not to be believed: ${row.scenario}: ${row.row}: ${rangeOf(row)}`)
}

/** Writes the table of the page, and the chart. */
export function writePage({ rows, ...head }) {
  const scenarios = [...new Set(rows.map(({ scenario }) => scenario))]
  const tables = scenarios.map((scenario) => {
    const cells = cellsOf(rows.filter((row) => row.scenario === scenario))
    const lines = [columns, columns.map((_, i) => (i === 0 ? '---' : '---:')), ...cells]
    return `### ${scenario}\n\n${lines.map((line) => `| ${line.join(' | ')} |`).join('\n')}`
  })
  const text = readFileSync(page, 'utf8')
  const [before, rest] = text.split(begin)
  const after = rest?.split(end)[1]
  if (after === undefined) throw new Error(`${page} has no place for the tables: ${begin} … ${end}`)
  const written = [headLines(head).join('  \n'), image, ...tables].join('\n\n')
  writeFileSync(page, `${before}${begin}\n\n${written}\n\n${end}${after}`)
  writeFileSync(chart, drawChart(rows))
}

const columns = ['row', 'median', 'min', 'max', 'unit', 'ratio', 'likely', 'goal', 'wall clock', 'load']
const tolerated = 0.2

function cellsOf(rows) {
  const controls = new Set(rows.map(({ control }) => control))
  return rows.map((row) => {
    const { unit, value, min, max, control, ratio, wall, load } = row
    return [
      controls.has(row.row) ? `${row.row} (control)` : row.row,
      ...[value, min, max].map(number),
      unit,
      ratio === undefined ? '' : `${ratio.toFixed(2)} × ${control}`,
      rangeOf(row),
      goalOf(row),
      wall === undefined ? '' : number(wall),
      load === undefined ? '' : `${Math.round(load * 100)} %`,
    ]
  })
}

const rangeOf = ({ likely }) => (likely ? likely.map((ratio) => ratio.toFixed(2)).join(' to ') : '')

function goalOf({ goal, unit }) {
  if (!goal) return ''
  const { of, least, reached, met } = goal
  const asked = `${least === undefined ? '≤' : '≥'} ${number(least ?? goal.most)}`
  if (of === 'ratio') return `${met ? 'met' : 'MISSED'}: ${asked} ×`
  return `${met ? 'met' : 'MISSED'}: ${of === 'excess' ? `${number(reached)}, ` : ''}${asked} ${unit}${of === 'excess' ? ' more' : ''}`
}

/** Three digits that count, or all of a whole number. */
function number(value) {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)))
  return value.toLocaleString('en', { maximumFractionDigits: digits })
}

function headLines({ machine, versions, date }) {
  const { node, openssl, ...packages } = versions
  const list = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
  return [
    `Date: ${date}`,
    `Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memory}, ${machine.system}; ${machine.pinned}; load average before ${machine.loadAverage}`,
    `Versions: Node.js ${node} (OpenSSL ${openssl}), ${list.join(', ')}`,
  ]
}
