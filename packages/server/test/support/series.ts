import type { Registry } from 'prom-client'

/** The series of a registry: names with their labels, and their values. */
export async function seriesOf(registry: Registry): Promise<Record<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(
    lines.map((line) => {
      const [name = '', value] = line.split(/ (?=\S+$)/)
      return [name, Number(value)]
    }),
  )
}
