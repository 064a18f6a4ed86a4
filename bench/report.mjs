export function printHead(h) {
  console.log(h)
}
export function printRows(rows) {
  for (const r of rows)
    console.log(
      r.row.padEnd(60),
      r.value.toFixed(0).padStart(8),
      r.min.toFixed(0),
      r.max.toFixed(0),
      (r.ratio ?? 1).toFixed(3),
      r.goal ? JSON.stringify(r.goal) : '',
      r.wall?.toFixed(0),
      r.load?.toFixed(2),
    )
}
