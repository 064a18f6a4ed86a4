// The upgrades as bars: median, and a line from min to max.

const colours = { control: '#6e7781', ours: '#0969da', bound: '#b6bdc4', peers: '#bf8700' }
const [left, width, step, top] = [330, 420, 24, 44]

/** An SVG of the rows of `upgrades`, on a ground of its own, so that it is readable on any. */
export function drawChart(all) {
  const rows = all.filter(({ scenario, wall }) => scenario === 'upgrades' && wall !== undefined)
  const scale = width / Math.max(...rows.map(({ max }) => max))
  const height = top + rows.length * step + 16
  const bars = rows.map(({ row, value, min, max }, i) => {
    const y = top + i * step
    const middle = y + step / 2
    return [
      text(left - 8, middle + 4, row, 'end'),
      `<rect x="${left}" y="${y + 4}" width="${round(value * scale)}" height="${step - 8}" fill="${colours[kindOf(row)]}"/>`,
      `<path d="M${round(left + min * scale)} ${middle}H${round(left + max * scale)}" stroke="#1f2328"/>`,
      text(round(left + max * scale) + 6, middle + 4, Math.round(value).toLocaleString('en')),
    ].join('\n')
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 70} ${height}" font-family="sans-serif" font-size="12">`,
    '<title>Authenticated upgrades a second of one core</title>',
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    text(left, 20, 'Upgrades a second of one core: median; the line goes from min to max'),
    ...bars,
    '</svg>\n',
  ].join('\n')
}

function kindOf(row) {
  if (row.startsWith('bare ws')) return 'control'
  if (row.startsWith('node:')) return 'bound'
  return /^(ticket|cookie|header|subprotocol|query|first message)/.test(row) ? 'ours' : 'peers'
}

const round = (n) => Math.round(n * 10) / 10
const escapes = { '&': '&amp;', '<': '&lt;' }

function text(x, y, content, anchor = 'start') {
  const escaped = content.replace(/[&<]/g, (char) => escapes[char])
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="#1f2328">${escaped}</text>`
}
