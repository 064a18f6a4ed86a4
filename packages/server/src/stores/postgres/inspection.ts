import type { Row } from './connections.js'

/** Looks at the settings of a server, and answers what the operator should know, one sentence each. */
export function inspectServer({ fsync, synchronous_commit, statement_timeout }: Row): string[] {
  const warnings: string[] = []
  if (fsync === 'off') warnings.push('fsync is off: a crash may lose everything; set it to on')
  if (synchronous_commit === 'off') {
    warnings.push(
      'synchronous_commit is off: a crash forgets the last revocations that no running node knows; set it to on',
    )
  }
  if (statement_timeout === '0') {
    warnings.push(
      'statement_timeout is 0: a statement that waits for a lock keeps its connection; give the pool 2 seconds',
    )
  }
  return warnings
}
