// Tickets and the store that keeps them.
import { mutantsOf } from '../mutants-of.mjs'

const tickets = ['unit/tickets.test.ts', 'threats/c-tickets.test.ts', 'threats/b-answers.test.ts']
const store = ['contract/store.memory.test.ts', 'unit/stores/memory.test.ts']

const of = mutantsOf()

export default [
  ...of('tickets.ts', tickets, [
    ['if (unplain) throw', 'if (false) throw', 'a ticket brings back somebody else than it was issued to'],
    ["'expiresIn', expiresIn, 1, 60)", "'expiresIn', expiresIn, 1)", 'a ticket that lives for a day'],
    ["checkedNumber('ticket', 'maxOutstanding', maxOutstanding, 1)", 'maxOutstanding', 'no bound on tickets'],
    [
      'origin !== undefined && origin !== repeated && { origin }',
      'origin !== repeated && { origin: undefined }',
      'a ticket is good for any page',
    ],
    [
      "cookie.type === 'found' ? hash(cookie.credential) : ''",
      "cookie.type === 'found' ? hash(cookie.credential) : undefined",
      'a ticket of a request without the cookie is bound to nothing',
    ],
    [
      'if (!outstanding.acquire(owner, key, places, ttl).acquired) return undefined',
      'outstanding.acquire(owner, key, places, ttl)',
      'any number of tickets',
    ],
    [
      '      outstanding.release(owner, key)\n      throw error',
      '      throw error',
      'a store that fails uses the places up',
    ],
    [
      '    outstanding.release(identityKey(stored.holder.identity), key)\n',
      '',
      'a ticket that was used takes a place until it would have ended',
    ],
    [
      "if (!ticketSyntax.test(ticket)) return rejected('credential-unreadable')",
      '',
      'what is no ticket goes to the store',
    ],
    ['if (isWhole) return', 'return', 'a ticket is believed whatever the store answers'],
    [
      "if (stored.hash !== key) throw new Error('the store answered with the value of another key')",
      '',
      "somebody else's ticket",
    ],
    ['path === presented.path &&', '', 'a ticket for another route'],
    ['(origin === undefined || origin === presented.origin) &&', '', 'a ticket in another page'],
    ['cookie === undefined || (cookie', 'true || (cookie', 'a ticket that was planted'],
    [
      "(cookie !== '' && cookie === presented.cookie)",
      '(cookie === presented.cookie)',
      'a ticket without the cookie that was to bind it',
    ],
    [
      "expiresAt > clock.now() ? stored.holder : rejected('credential-expired')",
      'stored.holder',
      'a ticket outlives the credential that it was issued for',
    ],
  ]),
  ...of('stores/in-memory.ts', store, [
    ['if (this.#values.size >= this.#maxEntries) throw', 'if (false) throw', 'a store that grows for ever'],
    ['if (this.#values.size >= this.#maxEntries) this.#makeRoom()', '', 'values that grow for ever'],
    ['    this.#values.delete(key)\n    return', '    return', 'a ticket that is good twice'],
    ['entry && entry.expiresAt > this.#clock.now() ? entry.value', 'entry ? entry.value', 'a ticket beyond its end'],
    ['!set || set.expiresAt <= now', '!set', 'failures that count for ever'],
  ]),
  ...of('stores/memory.ts', store, [
    ['if (cluster?.isWorker)', 'if (false)', 'workers that do not see the tickets of each other'],
    ['for (const follower of followers) follower.onEntry(entry)', '', 'nobody hears of a revocation'],
    ['for (const [entry] of log) follower.onEntry(entry)', '', 'who comes later does not know what was revoked'],
    ['          followers.delete(follower)\n', '', 'who has stopped still counts'],
  ]),
  ...of(
    'support/expiring-map.ts',
    ['unit/support/expiring-map.test.ts'],
    [
      ['entry && entry.end > this.#now() ? entry.value', 'entry ? entry.value', 'what is over is there'],
      ['if (end > now) yield [key, value]', 'yield [key, value]', 'what is over is there'],
      ['if (entry.end <= now) this.#entries.delete(old)', 'void [old, entry, now]', 'what is over is kept for ever'],
      ['if (this.#entries.size < this.#sweepAt) return', '', 'each entry costs as much as there are'],
      ['this.#entries.size * 2)', 'this.#entries.size)', 'each entry costs as much as there are'],
      ['    this.#entries.delete(key)\n', '', 'what is put again is the oldest all the same'],
    ],
  ),
  ...of('stores/groups.ts', store, [
    ['!members.has(member) && members.size >= max', 'false', 'a group without a bound'],
    ['!members.has(member) && members.size >= max', 'members.size >= max', 'a member that renews its place loses it'],
    [
      "if (whenFull === 'refuse') return { acquired: false, replaced }",
      '',
      'a new member throws out an old one that it may not',
    ],
    ['members.size - max + 1', '1', 'as many as before a bound that was lowered'],
    [
      'for (const oldest of replaced) members.delete(oldest)',
      '',
      'a group without a bound, where members are replaced',
    ],
    ['if (end <= now) members.delete(member)', 'void [member, end]', 'a place that is never free again'],
    ['if (!this.#groups.has(group)) this.#makeRoom()', '', 'groups that grow for ever'],
    ['if (!this.#groups.has(group)) this.#makeRoom()', 'this.#makeRoom()', 'a group that has its place is refused'],
    ['if (this.#groups.size >= this.#maxGroups) throw', 'if (false) throw', 'groups that grow for ever'],
    [
      'if (members?.size === 0) this.#groups.delete(group)',
      '',
      'an empty group is kept',
      'Only memory: makeRoom takes empty groups out when there are too many.',
    ],
  ]),
]
