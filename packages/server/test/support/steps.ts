/** How many entries of maps and sets are gone through while `work` runs. */
export function stepsOf(work: () => void): number {
  let steps = 0
  const prototypes = [new Map(), new Set()].map((each) => Object.getPrototypeOf(each[Symbol.iterator]()))
  const originals = prototypes.map(({ next }) => next as () => IteratorResult<unknown>)
  for (const [i, prototype] of prototypes.entries()) {
    prototype.next = function next(this: Iterator<unknown>) {
      steps += 1
      return originals[i]!.call(this)
    }
  }
  try {
    work()
  } finally {
    for (const [i, prototype] of prototypes.entries()) prototype.next = originals[i]
  }
  return steps
}
