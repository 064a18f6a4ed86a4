// The client's bundles are within their limits, with nothing of the server in them.
import { bundles, weigh } from './bundles.mjs'
import { report } from './report.mjs'

const ours = /^packages\/(client|protocol)\//

const problems = []
for (const bundle of bundles) {
  const { name, limit } = bundle
  const { minified, gzipped, inputs } = await weigh(bundle)
  console.log(`${name}: ${minified} bytes minified, ${gzipped} gzipped, limit ${limit}`)
  if (gzipped > limit) problems.push(`${name} is ${gzipped - limit} bytes over its limit`)
  for (const input of inputs.filter((input) => !ours.test(input))) problems.push(`${name} contains ${input}`)
  if (!inputs.some((input) => ours.test(input))) problems.push(`${name} contains nothing of the client`)
}
report(problems, `${bundles.length} bundles of nothing but client and protocol`)
