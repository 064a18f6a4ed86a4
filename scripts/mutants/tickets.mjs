// Tickets and the store that keeps them.
const tickets = ['unit/tickets.test.ts', 'threats/c-tickets.test.ts']
const store = ['contract/store.memory.test.ts', 'unit/memory-store.test.ts']

const of = (file, tests, list) =>
  list.map(([find, replace, why, survives]) => ({ file, find, replace, tests, why, ...(survives && { survives }) }))

export default [
  ...of('tickets.ts', tickets, [
    ['!(expiresIn >= 1 && expiresIn <= 60)', 'false', 'a ticket that lives for a day'],
    ['!(maxOutstanding >= 1)', 'false', 'no bound on tickets'],
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
      'if (!(await store.acquire(group, key, maxOutstanding, ttl))) return undefined',
      'await store.acquire(group, key, maxOutstanding, ttl)',
      'any number of tickets',
    ],
    [
      '      store.release(group, key).catch(() => {})\n      throw error',
      '      throw error',
      'a store that fails uses the places up',
    ],
    [
      "if (!ticketSyntax.test(ticket)) return rejected('credential-unreadable')",
      '',
      'what is no ticket goes to the store',
    ],
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
  ...of('stores/memory.ts', store, [
    ['if (cluster.isWorker)', 'if (false)', 'workers that do not see the tickets of each other'],
    ['if (values.size >= maxEntries || groups.size >= maxEntries)', 'if (false)', 'a store that grows for ever'],
    ['if (values.size >= maxEntries) makeRoom()', '', 'values that grow for ever'],
    ['      values.delete(key)\n', '', 'a ticket that is good twice'],
    ['entry && entry.expiresAt > clock.now() ? entry.value', 'entry ? entry.value', 'a ticket beyond its end'],
    ['if (members.size >= max) return false', '', 'a group without a bound'],
    ['if (expiresAt <= now) members.delete(member)', 'void member', 'a place that is never free again'],
    [
      'if (members?.size === 0) groups.delete(group)',
      '',
      'an empty group is kept',
      'Only memory: makeRoom takes empty groups out when the store is full.',
    ],
  ]),
]
