import { createHash } from 'node:crypto'

/** A Lua script, and the name that Redis knows it by. */
export interface Script {
  readonly source: string
  readonly sha: string
}

function script(body: string): Script {
  const source = `${body.trim()}\n`
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

// The time of the server in milliseconds.
const now = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
`

// The replication id is another one after every failover and every restart: it names this primary and its memory.
const primary = `
local replication = redis.call('INFO', 'replication')
if not string.find(replication, 'role:master') then return redis.error_reply('READONLY this is a replica') end
local primary = string.match(replication, 'master_replid:(%x+)')
`

/** KEYS: a value. Takes it, and says from which primary, and when. */
export const take = script(`
local value = redis.call('GETDEL', KEYS[1])
if not value then return false end
${primary}
${now}
return { value, primary, now }
`)

/** KEYS: a set. ARGV: member, time to live. How many members there are. */
export const count = script(`
local added = redis.call('SADD', KEYS[1], ARGV[1])
local members = redis.call('SCARD', KEYS[1])
if added == 1 and members == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return members
`)

/**
 * KEYS: the members of a group in the order in which they came, and by the end of their time. ARGV: member, places, what
 * becomes of one more, time to live. Whether the member has a place, and who lost theirs.
 */
export const acquire = script(`
local order, ends = KEYS[1], KEYS[2]
local member, max, whenFull, ttl = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
${now}
local function drop(members)
  for _, gone in ipairs(members) do
    redis.call('ZREM', order, gone)
    redis.call('ZREM', ends, gone)
  end
end
drop(redis.call('ZRANGEBYSCORE', ends, '-inf', now))
local replaced = {}
if not redis.call('ZSCORE', order, member) then
  local surplus = redis.call('ZCARD', order) - max + 1
  if surplus > 0 and whenFull == 'refuse' then return { 0, replaced } end
  if surplus > 0 then
    replaced = redis.call('ZRANGE', order, 0, surplus - 1)
    drop(replaced)
  end
  local newest = redis.call('ZRANGE', order, -1, -1, 'WITHSCORES')
  redis.call('ZADD', order, (tonumber(newest[2]) or 0) + 1, member)
end
redis.call('ZADD', ends, now + ttl, member)
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, math.max(ttl, redis.call('PTTL', key))) end
return { 1, replaced }
`)

/** KEYS: as for {@link acquire}. ARGV: member. */
export const release = script(`
for _, key in ipairs(KEYS) do redis.call('ZREM', key, ARGV[1]) end
`)

/**
 * KEYS: the log. ARGV: entry, time to live, from where on to sweep, how long a node seems to be awake after a look. Takes out
 * some of what is over, but nothing that a node may stand on, which would take it for lost: all have passed an entry when
 * the next one has been there for so long. Answers the id of the entry, and from where on to sweep next.
 */
export const append = script(`
${now}
local page = redis.call('XRANGE', KEYS[1], ARGV[3], '+', 'COUNT', 65)
for i = 1, #page - 1 do
  local next = string.match(page[i + 1][1], '^%d+')
  if (tonumber(page[i][2][4]) or 0) <= now and next + ARGV[4] <= now then redis.call('XDEL', KEYS[1], page[i][1]) end
end
local id = redis.call('XADD', KEYS[1], '*', 'entry', ARGV[1], 'until', now + ARGV[2])
return { id, #page == 65 and page[65][1] or '-' }
`)

/** KEYS: the log. ARGV: ids. Those of them that are not there, and the time. */
export const missing = script(`
${now}
local missing = {}
for _, id in ipairs(ARGV) do
  if #redis.call('XRANGE', KEYS[1], id, id) == 0 then table.insert(missing, id) end
end
return { missing, now }
`)

/**
 * KEYS: the log, the nodes, the questions. ARGV: node, its positions in log and questions, how long it counts from now on,
 * entries at most. Says that the node is awake and how far it has come, and answers time, primary, the entries from that
 * position on, itself included, and the questions behind the other.
 */
export const look = script(`
${primary}
${now}
local told = redis.pcall('HSET', KEYS[2], ARGV[1], string.format('%.0f', now + ARGV[4]) .. ' ' .. ARGV[2] .. ' ' .. ARGV[3] .. ' ' .. now)
-- A server that is full can still be read.
if type(told) == 'table' and not string.find(told.err, '^OOM') then return told end
local entries = redis.call('XRANGE', KEYS[1], ARGV[2], '+', 'COUNT', ARGV[5])
return { now, primary, entries, redis.call('XRANGE', KEYS[3], '(' .. ARGV[3], '+', 'COUNT', ARGV[5]) }
`)

/**
 * KEYS: the nodes, the answers to a question. ARGV: how long a node seems to be awake after a look. The positions in the log
 * of the nodes that count, those in the questions of the nodes that are awake, and the answers. The other nodes are taken out.
 */
export const positions = script(`
${now}
local log, questions = {}, {}
local nodes = redis.call('HGETALL', KEYS[1])
for i = 1, #nodes, 2 do
  local ends, position, question, looked = string.match(nodes[i + 1], '^(%d+) (%S+) (%S+) (%d+)$')
  if ends and tonumber(ends) > now then
    table.insert(log, position)
    if now - looked < tonumber(ARGV[1]) then table.insert(questions, question) end
  else
    redis.call('HDEL', KEYS[1], nodes[i])
  end
end
return { log, questions, redis.call('SMEMBERS', KEYS[2]) }
`)

/** KEYS: the questions. ARGV: question, time to live. Forgets those that are over, and answers the id of the question. */
export const ask = script(`
${now}
local id = redis.call('XADD', KEYS[1], 'MINID', string.format('%.0f', now - ARGV[2]), '*', 'question', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return id
`)

/** KEYS: any key of ours. Which primary this is, what it says of its memory and its persistence, and the time. */
export const inspect = script(`
${primary}
${now}
return { primary, replication .. redis.call('INFO', 'memory') .. redis.call('INFO', 'persistence'), now }
`)
