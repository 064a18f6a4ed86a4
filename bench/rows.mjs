// From samples to rows: medians, ratios to the control of the same round, and goals.

/** The value that so much of the samples are below or at; `0.5` is the median. */
export function quantile(samples, q) {
  const sorted = Float64Array.from(samples).sort()
  const at = (sorted.length - 1) * q
  const below = sorted[Math.floor(at)]
  return below + (sorted[Math.ceil(at)] - below) * (at % 1)
}

export const median = (samples) => quantile(samples, 0.5)

/**
 * Between which two samples the true median lies, 19 times in 20: by their order alone, whatever disturbs them. With five
 * samples it is 15 times in 16, and fewer say less.
 */
export function likely(samples) {
  const sorted = Float64Array.from(samples).sort()
  const { length } = sorted
  // How likely it is that so few, or fewer, are below it.
  let rank = 0
  let one = 0.5 ** length
  for (let all = one; all <= 0.025; all += one) {
    rank += 1
    one *= (length - rank + 1) / rank
  }
  const at = Math.max(0, rank - 1)
  return [sorted[at], sorted[length - 1 - at]]
}

/**
 * A row of the scoreboard, from one sample a round. The ratio is the median of the rounds' own ratios, so that a minute in
 * which the machine was slow slows both; `likely` is between what it lies.
 *
 * `control` is `{ row, samples }`. `goal` says what is asked of `ratio`, `value` or `excess` (over the control): `{ of,
 * least }` or `{ of, most }`.
 */
export function toRow({ scenario, row, unit, samples, control, goal, ...more }) {
  const ratios = control && samples.map((sample, round) => sample / control.samples[round])
  const made = {
    scenario,
    row,
    value: median(samples),
    unit,
    min: Math.min(...samples),
    max: Math.max(...samples),
    ...(control && {
      control: control.row,
      ratio: median(ratios),
      likely: likely(ratios),
    }),
    ...more,
  }
  if (!goal) return made
  const excess = control && median(samples.map((sample, round) => sample - control.samples[round]))
  const reached = { ratio: made.ratio, value: made.value, excess }[goal.of]
  const met = reached >= (goal.least ?? Number.NEGATIVE_INFINITY) && reached <= (goal.most ?? Number.POSITIVE_INFINITY)
  return { ...made, goal: { ...goal, reached, met } }
}
