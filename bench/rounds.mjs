/**
 * Samples by the name of each subject, one a round, the subjects by turns: what slows the machine for a while slows them
 * all. `sample(subject)` answers one.
 */
export async function interleave(rounds, subjects, sample) {
  const samples = new Map(Object.keys(subjects).map((name) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, subject] of Object.entries(subjects)) samples.get(name).push(await sample(subject, round))
  }
  return samples
}
