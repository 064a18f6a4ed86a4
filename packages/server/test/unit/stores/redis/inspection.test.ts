import { UnavailableError } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { inspectServer } from '../../../../src/stores/redis/inspection.js'

/** What a server says of itself that loses nothing, with some of it changed; `undefined` is not said. */
function infoOf(changes: Record<string, string | undefined> = {}): string {
  const fields = {
    role: 'master',
    connected_slaves: '1',
    min_slaves_good_slaves: '1',
    maxmemory: '1000000',
    maxmemory_policy: 'noeviction',
    aof_enabled: '1',
    ...changes,
  }
  const lines = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [`${name}:${value}`]))
  return ['# Replication', ...lines, ''].join('\r\n')
}

describe('what a server says of itself', () => {
  it('is no reason to warn when it loses nothing', () => {
    expect(inspectServer(infoOf())).toEqual([])
  })

  it.each(['allkeys-lru', 'allkeys-lfu', 'allkeys-random'])('I12 is a reason not to use it: %s', (policy) => {
    expect(() => inspectServer(infoOf({ maxmemory_policy: policy }))).toThrow(UnavailableError)
    expect(() => inspectServer(infoOf({ maxmemory_policy: policy }))).toThrow(policy)
    // Without a bound it never has to.
    expect(inspectServer(infoOf({ maxmemory_policy: policy, maxmemory: '0' }))).toEqual([])
  })

  it.each<[string, Record<string, string | undefined>, Record<string, string | undefined>]>([
    ['I12 maxmemory-policy is volatile-lru', { maxmemory_policy: 'volatile-lru' }, { maxmemory: '0' }],
    ['I13 appendonly is off', { aof_enabled: '0' }, { aof_enabled: '1' }],
    ['I05 min-replicas-to-write is 0', { min_slaves_good_slaves: undefined }, { connected_slaves: '0' }],
  ])('is a reason to warn: %s', (name, changes, harmless) => {
    const text = name.slice(4)
    expect(inspectServer(infoOf(changes))).toEqual([expect.stringContaining(text)])
    expect(inspectServer(infoOf({ ...changes, ...harmless }))).toEqual([])
  })
})
