// What the nodes share through PostgreSQL, and the processes of one machine through the holder of a cluster.
import { mutantsOf } from '../mutants-of.mjs'

const contract = ['contract/store.postgres.test.ts']
const threats = ['threats/i-postgres.test.ts']
const cluster = ['threats/i-cluster.test.ts']
const clusterContract = ['contract/store.cluster.test.ts']

const of = mutantsOf('stores/')

export default [
  ...of('postgres/schema.ts', threats, [
    ['  PERFORM pg_advisory_xact_lock(${lock});\n', '', 'nodes that start at once find half of the tables'],
    [
      'CREATE UNLOGGED TABLE IF NOT EXISTS ${s}.items',
      'CREATE TABLE IF NOT EXISTS ${s}.items',
      'a used ticket is good again after a failover',
    ],
    [
      'CREATE UNLOGGED TABLE IF NOT EXISTS ${s}.nodes',
      'CREATE TABLE IF NOT EXISTS ${s}.nodes',
      'what a failover has lost is not noticed',
    ],
  ]),
  ...of('postgres/statements.ts', contract, [
    ['WHEN old.ends_at <= ${now} THEN excluded.members\n', '', 'an address that goes on failing is never let off'],
    ['WHEN old.members @> excluded.members THEN old.members\n', '', 'one credential counts as many'],
    ['          WHERE ends_at > ${now}\n        ), judged', '        ), judged', 'a place that is never free again'],
    ['greatest(count(*) - $3::int + 1, 0)', '0', 'a group without a bound'],
    ["WHERE $4 = 'refuse' OR place > surplus", '', 'a group without a bound, where members are replaced'],
    ["WHERE NOT has AND (surplus = 0 OR $4 <> 'refuse')", 'WHERE NOT has', 'any number of connections'],
    ['CASE WHEN member = $2 THEN excluded.ends_at ELSE ends_at END AS ends_at', 'ends_at', 'a renewal keeps no place'],
    [
      'WITH ORDINALITY AS each (member, ends_at, place) WHERE member <> $2',
      'WITH ORDINALITY AS each (member, ends_at, place)',
      'a place that is never free again',
    ],
    ['WHERE question = $1 AND ends_at', 'WHERE ends_at', 'the answer to another question'],
  ]),
  ...of('postgres/statements.ts', threats, [
    ['ends_at > ${now} AS lives', 'true AS lives', 'a ticket beyond its end'],
    ['WHERE old.ends_at <= ${now}\n      RETURNING true', 'RETURNING true', 'a ticket under the key of another'],
    [
      "VALUES ($1, 0, 0, ${now}, ${after('$4')})",
      "VALUES ($1, $2, $3, ${now}, ${after('$4')})",
      'a revocation is said to be where it is not',
    ],
    ["WHERE ends_at <= ${now}${table === 'log'", "WHERE true${table === 'log'", 'what is in force is taken out'],
  ]),
  ...of('remote/log.ts', threats, [
    [
      'const knowsOurs = positions.log.length >= this.#nodes.size',
      'const knowsOurs = true',
      'a revocation is confirmed that no node has',
    ],
  ]),
  ...of('postgres/statements.ts', threats, [
    [
      "${table === 'log' ? ` AND ${isPassed}` : ''}",
      '',
      'a sweep makes each node read the whole log again, and revocations come late meanwhile',
    ],
    ['least(max(id), ${stoodOn})', 'max(id)', 'a sweep makes a slow node read the whole log again'],
  ]),
  ...of(
    'cluster/stream.ts',
    ['unit/stores/cluster/stream.test.ts'],
    [['id === this.#lastId || ', '', 'a sweep makes each process read the whole log again']],
  ),
  ...of('postgres/connections.ts', threats, [
    ['this.#clock.after(deadAfter, () => this.close())', '() => {}', 'connections that are dead are kept for ever'],
    [
      'state !== undefined) return new UnavailableError(`PostgreSQL answered ${state}',
      'state !== undefined) return new UnavailableError(`PostgreSQL answered ${error}',
      'what PostgreSQL was asked stands in the error',
    ],
  ]),
  ...of('postgres/connections.ts', contract, [['isLostRace(error) || ', '', 'a ticket is refused because of another']]),
  ...of(
    'postgres/connections.ts',
    ['threats/i-postgres.test.ts'],
    [
      [' || this.#prepared.isLost(error)', '', 'behind a pooler that keeps no statements all is out of reach'],
      ['if (isLost) this.#areKept = false', '', 'behind a pooler that keeps no statements all is out of reach'],
    ],
  ),
  ...of(
    'postgres/connections.ts',
    ['threats/i-outage.test.ts'],
    [["  emitter.on('error', () => {})\n", '', 'a restart of PostgreSQL ends the process']],
  ),
  ...of('postgres/store.ts', threats, [
    ['if (!row?.lives) return undefined', 'if (!row) return undefined', 'a ticket beyond its end'],
    [
      'values.open(keyOf(name), String(row.value), Number(row.now))',
      'String(row.value).replace(/^\\S+ \\S+ /, "")',
      'whoever can write to PostgreSQL makes tickets',
    ],
    [
      'const keyOf = (name: string) => `${schema}:${name}`',
      'const keyOf = (_: string) => schema',
      'a value is good under another key',
    ],
    ['for (const warning of inspectServer(row)) warn(warning)', '', 'nobody is told that a crash forgets'],
  ]),
  ...of('postgres/log.ts', threats, [['    this.#sweep()\n', '', 'tables that grow for ever']]),
  ...of('cluster/folder.ts', cluster, [
    [
      'found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0',
      'found.uid !== process.getuid?.()',
      'others read tickets and revoke',
    ],
    [
      '!found.isDirectory() || ',
      '',
      'a folder that somebody else has chosen',
      'On Linux a link is open to all by its mode, which is refused as well.',
    ],
  ]),
  ...of('cluster/service.ts', cluster, [
    [
      'if (!calls.has(call) || !Array.isArray(args)) throw',
      'if (false) throw',
      'whoever is on the machine calls anything',
    ],
    ['      holder.forget(socket)\n', '', 'a process that has died keeps its places'],
  ]),
  ...of('cluster/lines.ts', cluster, [['      socket.destroy()\n', '', 'a stranger is listened to for ever']]),
  ...of('cluster/channel.ts', cluster, [
    ['if (this.#place.isHeldBy(number, name)) this', 'if (true) this', 'processes that never hear of each other again'],
    [
      '      for (const { reject } of this.#awaited.values()) reject(',
      '      for (const { reject } of []) reject(',
      'whoever waits for a holder that died waits for ever',
    ],
  ]),
  ...of('cluster/holder.ts', clusterContract, [
    ['.filter(([id]) => id !== heard)', '', 'a question is heard again at every look'],
  ]),
  ...of('cluster/holder.ts', cluster, [
    ['if (owner === gone) this.#held.release(group, member)', '', 'a process that has died keeps its places'],
    ['if (owner === gone) this.#nodes.delete(id)', '', 'every revocation waits for a process that has died'],
  ]),
]
