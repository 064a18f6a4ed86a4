// The store on Redis.
import { mutantsOf } from '../mutants-of.mjs'

const commands = ['unit/stores/redis/commands.test.ts']
const inspection = ['unit/stores/redis/inspection.test.ts']
const log = ['unit/stores/redis/log.test.ts']
const store = ['unit/stores/redis/store.test.ts']
const contract = ['contract/store.redis.test.ts']
const sweep = ['unit/stores/redis/sweep.test.ts']
const shown = ['threats/j-redis.test.ts']
const of = mutantsOf('stores/')

export default [
  ...of('redis/commands.ts', commands, [
    [
      'this.#breaker.probe(() => this.#send(key, command))',
      'this.#breaker.run(() => this.#send(key, command))',
      'a server that was silent once is never asked again',
    ],
    [
      'reply ? `Redis answered ${reply}`',
      'reply ? `Redis answered ${message}`',
      'what Redis was asked stands in the error',
    ],
    [
      '`Redis is out of reach: ${name}`',
      '`Redis is out of reach: ${message}`',
      'what Redis was asked stands in the error',
    ],
    [
      '!(error instanceof UnavailableError) || error.message !== noScript',
      '!(error instanceof UnavailableError)',
      'a script runs twice whose reply was lost',
    ],
  ]),
  ...of('redis/commands.ts', contract, [
    [
      '!(error instanceof UnavailableError) || error.message !== noScript',
      'true',
      'a server that was started anew knows no script',
    ],
  ]),
  ...of('redis/inspection.ts', inspection, [
    ["if (evicts && policy.startsWith('allkeys'))", 'if (false)', 'revocations that are thrown away'],
    [
      "if (evicts && policy.startsWith('allkeys'))",
      "if (policy.startsWith('allkeys'))",
      'a server is refused that throws nothing away',
    ],
    ["if (evicts && policy.startsWith('volatile'))", 'if (false)', 'nobody is told that tickets may be lost'],
    ["if (number('aof_enabled') === 0)", 'if (false)', 'nobody is told that a restart forgets'],
    [
      "if (number('connected_slaves') > 0 && !fields.has('min_slaves_good_slaves'))",
      'if (false)',
      'nobody is told of a primary that goes on alone',
    ],
    ["!fields.has('min_slaves_good_slaves')", 'true', 'everybody is warned who has replicas'],
    ["number('connected_slaves') > 0 && !fields", '!fields', 'everybody is warned who has no replicas'],
  ]),
  ...of('redis/store.ts', store, [
    ['|| !/^[\\w.:-]+$/.test(prefix)', '', 'a prefix that tears keys apart'],
    ['`{${prefix}}:${name}`', '`${prefix}:${name}`', 'keys of one script on several servers'],
    ['`{${prefix}}:${name}`', '`{sallyport}:${name}`', 'two environments share their tickets'],
    [
      "new Breaker('Redis', clock, timeout,",
      "new Breaker('Redis', clock, 500,",
      'the timeout that was given is not used',
    ],
    ['for (const warning of inspectServer(info)) warn(warning)', '', 'revocations that are thrown away'],
    ['if (error instanceof UnavailableError) warn(error.message)', '', 'nobody is told why everything is refused'],
    ['      throw error\n', '', 'revocations that are thrown away'],
    ["sealed, 'NX', 'PX', `${ttl}`", "sealed, 'PX', `${ttl}`", 'a ticket under the key of another'],
    ["sealed, 'NX', 'PX', `${ttl}`", "sealed, 'NX'", 'a ticket without an end'],
    ["if (reply === null) throw new Error('the key is in use')", '', 'a ticket that is not there'],
    ['text?.startsWith(`${current} `) ?', 'text ?', 'a ticket that was used before a failover is good again'],
    ['primary = found', 'primary ??= found', 'no ticket is good any more after a failover'],
    ['if (primary === undefined) await onPrimary()', '', 'no ticket is good before anybody follows'],
    [
      'values.close(key, `${primary} ${JSON.stringify(value)}`, ttl)',
      '`${primary} ${JSON.stringify(value)}`',
      'a ticket without a mark',
    ],
  ]),
  ...of('redis/store.ts', contract, [['acquired: acquired === 1', 'acquired: true', 'any number of connections']]),
  ...of('redis/store.ts', shown, [
    [
      "      const reply = await commands.run(key, ['SET'",
      "      await commands.run(key, ['EXISTS', key])\n      const reply = await commands.run(key, ['SET'",
      'the rights of the documentation are not enough',
    ],
  ]),
  ...of('redis/log.ts', log, [
    ['|| (time === otherTime && number < otherNumber)', '', 'a revocation is said to be where it is not'],
    ["one.split('-').map(Number)", "one.split('-')", 'places are compared as texts'],
  ]),
  ...of('redis/scripts.ts', store, [
    [
      "if not string.find(replication, 'role:master') then",
      'if false then',
      'a replica is believed, whose news are old',
    ],
    ["math.max(ttl, redis.call('PTTL', key))", 'ttl', 'a place ends with the shorter time of another'],
    [
      "for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, math.max(ttl, redis.call('PTTL', key))) end",
      '',
      'groups that nobody uses any more stay for ever',
    ],
    [
      "if added == 1 and members == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end",
      '',
      'failures that count for ever',
    ],
    ['if added == 1 and members == 1 then', 'if true then', 'an address that goes on failing is never let off'],
  ]),
  ...of('redis/scripts.ts', contract, [
    ["redis.call('GETDEL', KEYS[1])", "redis.call('GET', KEYS[1])", 'a ticket that is good twice'],
    ["drop(redis.call('ZRANGEBYSCORE', ends, '-inf', now))", '', 'a place that is never free again'],
    ["if not redis.call('ZSCORE', order, member) then", 'do', 'a member that renews its place loses it'],
    [
      "if surplus > 0 and whenFull == 'refuse' then return { 0, replaced } end",
      '',
      'a new member throws out an old one that it may not',
    ],
    ["redis.call('ZCARD', order) - max + 1", '1 - max', 'a group without a bound'],
    [
      "redis.call('ZRANGE', order, 0, surplus - 1)",
      "redis.call('ZRANGE', order, 0, 0)",
      'as many as before a bound that was lowered',
    ],
    ['    drop(replaced)\n', '', 'a group without a bound, where members are replaced'],
    ['(tonumber(newest[2]) or 0) + 1', '1', 'any member is replaced, not the oldest'],
    [
      "redis.call('ZADD', ends, now + ttl, member)",
      "redis.call('ZADD', ends, 'NX', now + ttl, member)",
      'a renewal keeps no place',
    ],
    ["for _, key in ipairs(KEYS) do redis.call('ZREM', key, ARGV[1]) end", '', 'a place that is never free again'],
  ]),
  ...of('redis/scripts.ts', log, [
    [
      "if type(told) == 'table' and not string.find(told.err, '^OOM') then return told end",
      '',
      'a node reads that no revocation waits for',
    ],
    [" and not string.find(told.err, '^OOM')", '', 'a server that is full ends everything'],
    ['if ends and tonumber(ends) > now then', 'if ends then', 'every revocation waits for a node that has died'],
    ["    redis.call('HDEL', KEYS[1], nodes[i])\n", '', 'nodes that have died are kept for ever'],
  ]),
  ...of('redis/scripts.ts', sweep, [
    ["then redis.call('XDEL', KEYS[1], page[i][1]) end", 'then end', 'a log that grows for ever'],
    ['if (tonumber(page[i][2][4]) or 0) <= now and', 'if', 'revocations are taken out that are in force'],
    [
      ' and next + ARGV[4] <= now then',
      ' then',
      'each node reads the whole log again, and revocations come late meanwhile',
    ],
    ["#page == 65 and page[65][1] or '-'", "'-'", 'what is over stays behind what is not'],
  ]),
]
