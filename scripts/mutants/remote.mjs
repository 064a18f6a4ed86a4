// What every store on a server does.
import { mutantsOf } from '../mutants-of.mjs'

const commands = ['unit/stores/redis/commands.test.ts']
const log = ['unit/stores/redis/log.test.ts']
const store = ['unit/stores/redis/store.test.ts']
const seal = ['unit/stores/remote/seal.test.ts']
const contract = ['contract/store.redis.test.ts']
const tampering = ['threats/i-tampering.test.ts']
const of = mutantsOf('stores/')

export default [
  ...of('remote/seal.ts', seal, [
    ['&& Buffer.byteLength(secret) >= minSecretBytes', '', 'a secret that can be guessed'],
    ['isOurs ? read(ending) : undefined', 'read(ending)', 'whoever can write to Redis makes tickets and revocations'],
    ['update(`${key}\\n${text}`)', 'update(text)', 'a value is good under another key'],
    ['expected.length === given.length && ', '', 'a mark of another length stops the node that reads it'],
    [
      'timingSafeEqual(expected, given)',
      'expected.equals(given)',
      'a mark is found out by the time that the answer takes',
      'No test measures so finely.',
    ],
    [
      'const isOurs = keys.some((secret) =>',
      'const isOurs = keys.slice(0, 1).some((secret) =>',
      'what the secret of before has marked is refused',
    ],
    [
      '${mark(newest, key, ending)} ${ending}',
      '${mark(keys.at(-1) ?? newest, key, ending)} ${ending}',
      'a secret that is on its way out goes on marking',
    ],
  ]),
  ...of('remote/breaker.ts', commands, [
    [
      'if (this.#isSilent || this.#pending >= maxPending)\n',
      'if (this.#pending >= maxPending)\n',
      'everybody waits for a server that is silent',
    ],
    [
      'if (this.#isSilent || this.#pending >= maxPending)\n',
      'if (this.#isSilent)\n',
      'any number of commands that wait',
    ],
    ['return this.inTime(this.probe(send))', 'return this.probe(send)', 'a command without a deadline'],
    [
      'return within(reply, this.#timeout, this.#clock, () => {',
      'return reply.finally(() => {',
      'a reply without a deadline',
    ],
    ['this.#isSilent = true', '', 'everybody waits for a server that is silent'],
    ['      this.#isSilent = false\n', '', 'a server that was silent once is never asked again'],
    [
      'UnavailableError ? error : this.#toUnavailable(error)',
      'Error ? error : this.#toUnavailable(error)',
      'what Redis was asked stands in the error',
    ],
    ['    this.#pending += 1\n', '', 'any number of commands that wait'],
    ['      this.#pending -= 1\n', '', 'a store that ends after 10,000 commands'],
  ]),
  ...of('remote/setup.ts', store, [
    ['timeout = 500', 'timeout = 5_000', 'everybody waits ten times as long'],
    ['if (secrets.length === 0) warn(', 'if (false) warn(', 'nobody is told that there is no secret'],
    ['    if (warned.has(text)) return\n', '', 'the same warning ten times a second'],
  ]),
  ...of('remote/values.ts', contract, [
    [
      'const opened = this.#seal.open(key, sealed)',
      'const opened = { text: sealed.split(" ").slice(2).join(" "), end: Number.POSITIVE_INFINITY }',
      'whoever can write to Redis makes tickets',
    ],
  ]),
  ...of('remote/values.ts', tampering, [
    [' || opened.end <= now', '', 'a ticket that is written back when it is over'],
    [' || this.#taken.get(key)', '', 'a used ticket that is written back opens a second connection'],
    [
      'this.#taken.set(key, true, opened.end)',
      'void this.#taken',
      'a used ticket that is written back opens a second connection',
    ],
  ]),
  ...of('remote/node.ts', contract, [
    ['if (asker === this.id) return', '', 'a node answers itself'],
    ['    this.#heard = id\n', '', 'a question is heard again at every look'],
  ]),
  ...of(
    'remote/node.ts',
    ['nodes/renewal.test.ts'],
    [
      [
        "const opened = seal.open(keyOf('questions'), sealed)",
        "const opened = { text: sealed.replace(/^\\d+ /, ''), end: Number.POSITIVE_INFINITY }",
        'whoever can write to Redis renews connections',
      ],
    ],
  ),
  ...of('remote/log-server.ts', log, [
    ["seal.close(keyOf('log'), entry, time.now.latest + ttl)", 'entry', 'no node believes a revocation'],
  ]),
  ...of('remote/log.ts', log, [
    ['for (const node of this.#nodes) node.wake()', '', 'a revocation waits for the next look of its own node'],
    ['!this.#options.server.isBefore(position, id)', 'true', 'a revocation is said to be where it is not'],
    ['|| clock.now() >= end', '', 'a revocation waits for ever for a node that has died'],
  ]),
  ...of('remote/time.ts', log, [
    [
      'earliest: time - received',
      'earliest: time - sent',
      'what is vouched for now is younger than a revocation that was made before',
    ],
    ['latest: time - sent }', 'latest: time - received }', 'a revocation is made before what it should deny'],
  ]),
  ...of('remote/node.ts', log, [
    ['this.#look().catch(() => false)', 'this.#look()', 'a node never looks again when a look has failed'],
    ['this.#unanswered ??=', 'this.#unanswered =', 'looks pile up before a server that does not answer'],
    ['server.inTime(this.#unanswered)', 'this.#unanswered', 'a look without a deadline'],
    [
      'this.currentAt = sent',
      'this.currentAt = this.#options.clock.now()',
      'an answer counts as news however old it is',
    ],
    [
      'this.#position === server.start || entries[0]?.[0] === this.#position',
      'true',
      'a log that was emptied is not noticed',
    ],
    ['primary !== this.#primary || !follows', '!follows', 'what a failover has lost is not noticed'],
    ['    this.#position = this.#options.server.start\n', '', 'what a failover has lost is not noticed'],
    ['    this.#mending.begin()\n', '', 'what was lost is not appended again'],
    [
      'if (entries.length === page || questions.length === page) return true',
      '',
      'a node accepts before it knows every revocation',
    ],
    ['if (await this.#mending.restore()) return true', '', 'what was lost is not appended again'],
    ['if (opened === undefined) {', 'if (false) {', 'whoever can write to Redis makes revocations'],
    ['if (!this.#hasWarned) {', 'if (false) {', 'nobody is told that somebody else writes'],
    ['      this.#hasWarned = true\n', '', 'whoever writes to Redis fills the log of the application'],
  ]),
  ...of('remote/node.ts', tampering, [
    ['if (opened.end <= now) return', '', 'an entry lasts for ever that somebody writes again'],
    [
      'if (await this.#mending.isDamaged(look.time)) return this.#readAgain()',
      '',
      'an entry that was taken out stays out',
    ],
    ['Math.ceil(this.#follower.maxStaleness)', '3_000', 'a node that is silent is forgotten, and goes on'],
  ]),
  ...of('remote/mending.ts', log, [
    [
      '    this.#present = new Set()\n    this.#lost = undefined\n',
      '    this.#present = new Set()\n',
      'what is lost while the log is mended stays lost',
    ],
    ['    this.#present = undefined\n', '', 'every look asks for all that is known'],
    ['end > now && !present.has(entry)', 'end > now', 'the same is appended without an end'],
    ['end > now && !present', '!present', 'a node waits for ever for what is over'],
    ['this.#lost.slice(0, page)', 'this.#lost', 'all that was lost is appended at once'],
  ]),
  ...of('remote/mending.ts', tampering, [
    ['if (clock.now() < this.#compareAt) return false', '', 'every look compares'],
    ['    this.#compared += page\n', '', 'what is not on the first page is not compared'],
    [
      '    this.#read = []\n',
      '',
      'what was given back is looked for where it was',
      'Only work: the whole log is read again each minute.',
    ],
    ['this.#compared, this.#compared + page)', 'this.#compared)', 'all of a long log is compared at once'],
    ['    this.#read = this.#read.filter(isLive)\n', '', 'what is over is taken for lost'],
    ['missing.includes(id)', 'false', 'an entry that was taken out stays out'],
  ]),
  ...of('remote/node.ts', contract, [
    [
      'await this.#options.server.leave(this.id).catch(() => {})',
      '',
      'every revocation waits for a node that has gone down',
    ],
  ]),
  ...of('remote/node.ts', store, [
    ['if (primary !== this.#primary) await onPrimary(primary)', '', 'no ticket is good any more after a failover'],
  ]),
]
