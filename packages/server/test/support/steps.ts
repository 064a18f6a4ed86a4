/** How many entries of maps and sets are gone through while `work` runs. */
export function stepsOf(work: () => void): number
export function stepsOf(work: () => Promise<void>): Promise<number>
export function stepsOf(work: () => void | Promise<void>): number | Promise<number> {
  let steps = 0
  const prototypes = [new Map(), new Set()].map((each) => Object.getPrototypeOf(each[Symbol.iterator]()))
  const originals = prototypes.map(({ next }) => next as () => IteratorResult<unknown>)
  for (const [i, prototype] of prototypes.entries()) {
    prototype.next = function next(this: Iterator<unknown>) {
      steps += 1
      return originals[i]!.call(this)
    }
  }
  const restore = () => {
    for (const [i, prototype] of prototypes.entries()) prototype.next = originals[i]
    return steps
  }
  const done = work()
  return done instanceof Promise ? done.then(restore) : restore()
}
