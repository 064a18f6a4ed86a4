// What a browser downloads.
import { bundles, weigh } from '../../scripts/bundles.mjs'
import { toRow } from '../rows.mjs'

export const scenario = 'bundle'

export async function measure() {
  const rows = []
  for (const bundle of bundles) {
    const { gzipped } = await weigh(bundle)
    const row = `${bundle.name}, minified and gzipped`
    rows.push(toRow({ scenario, row, unit: 'B', samples: [gzipped], goal: { of: 'value', most: bundle.limit } }))
  }
  return rows
}
