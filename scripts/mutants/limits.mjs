// How much anybody may use, and the routes.
import { mutantsOf } from '../mutants-of.mjs'

const life = 'unit/connections/connection-life.test.ts'
const places = 'threats/f-places.test.ts'
const leases = [life, 'threats/f-registry.test.ts', places]
const wrongNode = ['threats/f-wrong-node.test.ts', 'threats/f-renewal.test.ts']
const nodes = ['threats/i-cut-off.test.ts', 'threats/i-nodes.test.ts']
const slowReaders = ['threats/g-pending.test.ts', 'unit/adapters/ws.test.ts']
const calls = ['threats/g-routes.test.ts']
const bounds = ['unit/bounds.test.ts']
const routes = ['unit/routes.test.ts', 'unit/bounds.test.ts', 'threats/a-bodies.test.ts']
const bodies = ['threats/a-bodies.test.ts', 'unit/routes.test.ts', 'unit/bounds.test.ts']
const of = mutantsOf()

export default [
  ...of('connections/leases.ts', leases, [
    ['if (!acquired) return undefined', 'void acquired', 'any number of connections'],
    ['      this.#replace(replaced)\n    } catch', '    } catch', 'a connection lives on whose place is taken'],
    [
      '        void this.#release(group, id)\n        throw error',
      '        throw error',
      'a place is taken by a handshake that failed',
    ],
    [
      '    this.#renewals.set(held, this.#options.clock.now() + renewPending)\n',
      '',
      'the place of a live connection ends',
    ],
    ['if (held) this.#giveBack(held)\n', '', 'a place is taken for a minute by nobody'],
    ['if (held && !held.connection) this.#giveBack(held)', '', 'a place is taken by a client that has left'],
    ['if (held && !held.connection)', 'if (held)', 'a live connection loses its place'],
    ['if (held.connection) this.#options.onLost(held.connection)', '', 'a connection lives on that has lost its place'],
    ['    void this.#release(held.group, held.id)\n', '', 'a place is taken for a minute by nobody'],
    ["isAlone ? limit.whenFull : 'refuse'", 'limit.whenFull', 'an old connection throws out a newer one'],
    ['else return this.#lose(held)', '', 'a connection lives on that has lost its place'],
    ['      next = renewPending\n    }\n    if', '    }\n    if', 'a place lapses though the store is back in time'],
    ['    else void this.#release(group, id)\n', '', 'a place is renewed for a connection that has gone meanwhile'],
  ]),
  ...of('connections/leases.ts', nodes, [
    ["limit.whenUnavailable === 'refuse' ||", '', 'whoever must not count alone does'],
    [' || !(error instanceof UnavailableError)', '', 'a bug is taken for a store that is out of reach'],
    ['if (!this.#hasRoom(group)) return undefined', '', 'any number of connections while the store is out of reach'],
    ["if (whenFull === 'refuse') return false", '', 'an old connection is ended that should stay'],
    [
      'for (const oldest of own.slice(0, own.length - max + 1)) this.#lose(oldest)',
      '',
      'any number of connections while the store is out of reach',
    ],
    ['aloneUntil = clock.now() + ttl', 'void ttl', 'a connection is ended for one that has gone'],
    [
      'if (acquired) held.aloneUntil = Number.NEGATIVE_INFINITY',
      'if (acquired) {}',
      'a connection lives on that has lost its place',
    ],
  ]),
  ...of(
    'connections/leases.ts',
    ['threats/f-reconnections.test.ts'],
    [
      [
        'if (elsewhere.length > 0) this.#options.tell(JSON.stringify({ replaced: elsewhere }))',
        '',
        'a connection of another node lives on whose place is taken',
      ],
      [
        'return Array.isArray(replaced) ? replaced : []',
        'return []',
        'a connection of another node lives on whose place is taken',
      ],
    ],
  ),
  ...of(
    'limits/pending.ts',
    ['unit/limits/pending.test.ts'],
    [
      ['this.#countOf(key) >= pendingPerAddress && !this.#evictOldest(key)', 'false', 'one address takes all places'],
      ['this.#size >= pendingSockets && !this.#evictOldest()', 'false', 'any number of undecided sockets'],
    ],
  ),
  ...of(
    'limits/attempts.ts',
    ['unit/limits/attempts.test.ts'],
    [
      [
        'if (record.verifications >= this.#limits.verificationBudget) return false',
        '',
        'an address may guess for ever',
      ],
      [
        'record.failures.size >= this.#limits.failedAttempts || record',
        'record',
        'guesses are remembered, and told to the store, without bound',
      ],
      ['|| record.failures.has(credentialHash)', '', 'the store is told of one stale credential without end'],
      [
        'Math.max(record.failures.size, record.shared)',
        'record.failures.size',
        'as many guesses as allowed on each node',
      ],
      [
        'Math.max(record.failures.size, record.shared)',
        'record.shared',
        'nobody counts while the store is out of reach',
      ],
      ['if (++this.#sharedNow > maxShared) return', '', 'a flood goes on to the store'],
    ],
  ),
  ...of(
    'limits/address.ts',
    ['unit/limits/address.test.ts', 'threats/h-addresses.test.ts'],
    [
      ['while (isProxy && hops', 'while (hops', 'anybody forges X-Forwarded-For'],
      ['.slice(0, 4)', '', 'a subscriber has 2^64 addresses'],
      [
        'address === unixSocket ? trustsUnix :',
        'address === unixSocket ||',
        'whoever connects to a Unix socket is a proxy',
      ],
      ["address === '' ? undefined : address", 'address', 'all who have no address share one limit'],
      [
        "inBrackets ?? decimal ?? text).replace(/%.*/, '')",
        "text).replace(/%.*/, '')",
        'a client is another with each port',
      ],
      [".replace(/%.*/, '')", '', 'an address with a zone is none'],
      ['maybeMapped.test(address) ? ', 'false ? ', 'all of IPv4 shares one /64'],
    ],
  ),
  ...of(
    'handshake/request.ts',
    ['unit/handshake/request.test.ts'],
    [
      [
        '!socket.destroyed && socket.localAddress',
        'socket.localAddress',
        'a peer that has reset its connection is a proxy',
      ],
    ],
  ),
  ...of('limits/at-once.ts', wrongNode, [
    ['if (running >= this.#max) return undefined', '', 'who renews what nobody has asks every node without bound'],
    ['.finally(() => this.#done(name))', '', 'who has asked twenty times may never ask again'],
  ]),
  ...of(
    'limits/lingering.ts',
    ['unit/limits/lingering.test.ts'],
    [
      ['if (this.#ends.size >= maxLingering) oldest?.()', '', 'any number of refused sockets stays for a second'],
      ['      this.#ends.delete(leave)\n', '', 'what is gone counts'],
      ['      cancel()\n', '', 'a timer for a socket that is gone'],
    ],
  ),
  ...of('connections/socket-options.ts', slowReaders, [
    ['= 16_777_216', '= Infinity', 'what waits for a slow reader grows without bound, unless configured'],
  ]),
  ...of('connections/socket-options.ts', bounds, [
    ["checkedNumber(owner, 'maxBufferedBytes', maxBufferedBytes, 0)", '', 'a limit of NaN bytes limits nothing'],
    [
      "checkedNumber(owner, 'messagesPerSecond', messagesPerSecond, 1)",
      'undefined',
      'a limit of NaN messages limits nothing',
    ],
  ]),
  ...of('handshake/body.ts', calls, [
    ['    isWaiting = false\n', '', 'a call that is being decided is taken for one that waits'],
    ['      reject(crowded)\n', '', 'a body is read whose place is taken'],
  ]),
  ...of('routes.ts', calls, [
    ['      place.leave()\n', '', 'a call keeps its place for ever'],
    ['(evict) => place.wait(evict)', '() => {}', 'slow bodies keep everybody out'],
    ["if ('reason' in place) return refusalAnswer(place)", '', 'any number of calls is decided at once'],
  ]),
  ...of('handshake/body.ts', bodies, [
    ["if (source.type === 'gone') return { fault: 'body-gone' }", '', 'a body that somebody has read counts as none'],
    ["|| Number(headers['content-length']) > 0", '', 'a body is taken for none'],
    ['return stream?.endAfterHeaders !== true', 'return false', 'a body of HTTP/2 is taken for none'],
    ['body === undefined ? gone', 'body === undefined ? empty', 'a body that somebody has read means the session'],
    ['bodyUsed || body?.locked', 'false', 'a fetch body that somebody has read is a bad one'],
    [
      'within(Promise.race([readText(source.chunks), evicted]), timeout, clock, () => late)',
      'Promise.race([readText(source.chunks), evicted])',
      'a body is waited for without end',
    ],
    [
      'if (bytes <= maxBytes) chunks.push(chunk)\n    else if',
      'chunks.push(chunk)\n    if',
      'a body is kept whole',
      'Only memory: what is over 16 KiB is dropped at the end all the same, and 64 KiB is the most that is read.',
    ],
    ['else if (bytes > maxDroppedBytes) break', '', 'a body without end is read'],
    ['return bytes <= maxBytes ?', 'return true ?', 'a body of any length'],
  ]),
  ...of('routes.ts', routes, [
    ["if (request.method !== 'POST')", 'if (false)', 'a GET issues a ticket'],
    [
      "typeof asked === 'string' && headerNames.test(asked)",
      "typeof asked === 'string'",
      'anything is echoed into a header',
    ],
    [
      "if ('text' in body && body.text.trim() === '') return undefined",
      "if (!('text' in body) || body.text.trim() === '') return undefined",
      'an object that a framework made means the session',
    ],
    [
      "if (typeof id === 'string' && id !== '') return id",
      'return id as string',
      'a renewal that names no connection means the session',
    ],
    ['const cors = allowed &&', 'const cors =', 'a foreign page may read the answers'],
    [' && !asksForWebSocket(request)', '', 'a handshake that a runtime hands on as a request is refused'],
  ]),
]
