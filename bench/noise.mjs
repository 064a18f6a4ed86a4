// How far the quick form can be believed: it is set beside its last run of the same code.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../scripts/bootstrap.mjs'

const last = join(root, 'node_modules/.cache/sallyport/bench-quick.json')
const measured = ['packages/protocol/dist', 'packages/server/dist', 'packages/client/dist', 'bench']
const tolerated = 0.1

/** Says which ratios differ from those of the last quick run of the same code, and by how much; then keeps these. */
export function warnOfNoise(rows) {
  const code = hashOfCode()
  const before = readLast()
  const known = before?.code === code ? before.ratios : {}
  const ratios = Object.fromEntries(
    rows.filter(({ ratio }) => ratio !== undefined).map(({ scenario, row, ratio }) => [`${scenario}: ${row}`, ratio]),
  )
  const compared = Object.keys(ratios).filter((row) => row in known)
  const unsteady = compared.filter((row) => Math.abs(ratios[row] / known[row] - 1) > tolerated)
  if (compared.length === 0)
    console.log('\nNo quick run of the same code to compare with: run it once more to see how steady it is')
  else
    console.log(
      `\n${unsteady.length} of ${compared.length} ratios differ by more than 10 % from the last quick run of the same code`,
    )
  for (const row of unsteady)
    console.log(`  not to be believed: ${row}: ${ratios[row].toFixed(2)} x, and ${known[row].toFixed(2)} x before`)
  mkdirSync(dirname(last), { recursive: true })
  writeFileSync(last, JSON.stringify({ code, ratios: { ...known, ...ratios } }))
}

function readLast() {
  try {
    return JSON.parse(readFileSync(last, 'utf8'))
  } catch {
    return undefined
  }
}

function hashOfCode() {
  const hash = createHash('sha256')
  for (const directory of measured) {
    for (const { parentPath, path = parentPath, name } of entriesOf(join(root, directory))) {
      if (/\.m?js$/.test(name) && !path.includes('node_modules'))
        hash.update(name).update(readFileSync(join(path, name)))
    }
  }
  return hash.digest('hex')
}

const entriesOf = (directory) =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .sort((a, b) => (a.name < b.name ? -1 : 1))
