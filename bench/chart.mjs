// The upgrades as bars, each by its ratio to bare ws: what slows the machine for a while is not to be seen. A line says likely.

const colours = { ours: '#0969da', peers: '#bf8700', 'bare ws': '#6e7781', limits: '#b6bdc4' }
const [left, width, step, top] = [330, 420, 24, 64]

/** An SVG of the rows of `upgrades`, on a ground of its own, so that it is readable on any. */
export function drawChart(all) {
  // A row beside a peer says again what the same row says beside bare ws.
  const isShown = ({ scenario, row, wall }) =>
    scenario === 'upgrades' && wall !== undefined && !row.includes(', beside ')
  const rows = all.filter(isShown).map(({ row }) => ({ row, ...besideBareWs(row, all) }))
  const scale = width / Math.max(...rows.map(({ to }) => to))
  const height = top + rows.length * step + 16
  const bars = rows.map(({ row, ratio, from, to }, i) => {
    const y = top + i * step
    const middle = y + step / 2
    return [
      text(left - 8, middle + 4, row, 'end'),
      `<rect x="${left}" y="${y + 4}" width="${round(ratio * scale)}" height="${step - 8}" fill="${colours[kindOf(row)]}"/>`,
      `<path d="M${round(left + from * scale)} ${middle}H${round(left + to * scale)}" stroke="#1f2328"/>`,
      text(round(left + to * scale) + 6, middle + 4, ratio.toFixed(2)),
    ].join('\n')
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 70} ${height}" font-family="sans-serif" font-size="12">`,
    '<title>Authenticated upgrades a second of CPU, beside those of bare ws</title>',
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    text(left, 20, 'Upgrades a second of CPU, bare ws being 1; the line is where the ratio likely is'),
    ...Object.entries(colours).flatMap(([kind, colour], i) => [
      `<rect x="${left + i * 90}" y="34" width="12" height="12" fill="${colour}"/>`,
      text(left + i * 90 + 18, 44, kind),
    ]),
    ...bars,
    '</svg>\n',
  ].join('\n')
}

/** The ratio of a row to bare ws, through the controls between, and what it likely lies between. */
function besideBareWs(name, all) {
  const { control, ratio, likely } = all.find(({ scenario, row }) => scenario === 'upgrades' && row === name)
  if (!control) return { ratio: 1, from: 1, to: 1 }
  const { ratio: through } = besideBareWs(control, all)
  return { ratio: ratio * through, from: likely[0] * through, to: likely[1] * through }
}

function kindOf(row) {
  if (row.startsWith('bare ws')) return 'bare ws'
  if (/^(node|bound):/.test(row)) return 'limits'
  return /^(ticket|cookie|header|subprotocol|query|first message)/.test(row) ? 'ours' : 'peers'
}

const round = (n) => Math.round(n * 10) / 10
const escapes = { '&': '&amp;', '<': '&lt;' }

function text(x, y, content, anchor = 'start') {
  const escaped = content.replace(/[&<]/g, (char) => escapes[char])
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="#1f2328">${escaped}</text>`
}
