// Keeps the core of the load awake, at the lowest priority. Where clients sleep between two answers, a server pays for
// waking their core at each answer, in a virtual machine dearly, and the more so the slower the server is.
import { constants, setPriority } from 'node:os'

setPriority(constants.priority.PRIORITY_LOW)
process.on('disconnect', () => process.exit())

function spin() {
  const end = performance.now() + 1
  while (performance.now() < end);
  setImmediate(spin)
}
spin()
