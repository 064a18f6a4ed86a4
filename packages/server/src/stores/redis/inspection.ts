import { UnavailableError } from '../../support/errors.js'

/**
 * Looks at what a primary says of itself.
 *
 * @param info the sections replication, memory and persistence of `INFO`
 * @returns what the operator should know, one sentence each
 * @throws UnavailableError when it would throw revocations away
 */
export function inspectServer(info: string): string[] {
  const fields = new Map(info.split('\r\n').map((line) => line.split(':') as [string, string]))
  const number = (name: string) => Number(fields.get(name) ?? 0)
  const policy = fields.get('maxmemory_policy') ?? ''
  const evicts = number('maxmemory') > 0
  if (evicts && policy.startsWith('allkeys')) {
    throw new UnavailableError(
      `maxmemory-policy is ${policy}, which throws revocations away when memory is short: set it to noeviction`,
    )
  }
  const warnings: string[] = []
  if (evicts && policy.startsWith('volatile')) {
    warnings.push(
      `maxmemory-policy is ${policy}: tickets and limits are lost when memory is short; set it to noeviction`,
    )
  }
  if (number('aof_enabled') === 0) {
    warnings.push('appendonly is off: a restart forgets what no running node knows; set it to yes')
  }
  if (number('connected_slaves') > 0 && !fields.has('min_slaves_good_slaves')) {
    warnings.push('min-replicas-to-write is 0: a primary that is cut off from its replicas goes on; set it to 1')
  }
  return warnings
}
