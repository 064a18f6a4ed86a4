// Live connections: how they open, live on and end.
import { mutantsOf } from '../mutants-of.mjs'

const life = 'unit/connections/connection-life.test.ts'
const live = [
  life,
  'unit/connections/connections.test.ts',
  'unit/connections/drain.test.ts',
  'unit/adapters/ws.test.ts',
]
const logouts = ['threats/f-logout-token.test.ts']
const rechecks = ['threats/f-recheck.test.ts']
const places = 'threats/f-places.test.ts'
const leases = [life, 'threats/f-registry.test.ts', places]
const wrongNode = ['threats/f-wrong-node.test.ts', 'threats/f-renewal.test.ts']
const inBand = [...live, 'threats/f-renewal.test.ts']
const nodes = ['threats/i-cut-off.test.ts', 'threats/i-nodes.test.ts']
const dialects = ['unit/connections/dialects.test.ts']
const of = mutantsOf()

export default [
  ...of('connections/recheck.ts', wrongNode, [
    [' || before.renewedElsewhere', '', 'who was renewed by another node is taken for signed out'],
    ['!before.renewedElsewhere && ', '', 'a recheck takes back what another node has renewed'],
  ]),
  ...of('connections/renewals.ts', wrongNode, [
    ['held.renewedElsewhere === true || !isSame', '!isSame', 'the second renewal by another node is forgotten'],
    ['held.renewedElsewhere === true || !isSame', 'true', 'who has signed out comes again'],
    ['if (request?.isUnplain)', 'if (false)', 'another node takes what is left of an identity'],
  ]),
  ...of('connections/renewals.ts', dialects, [
    ['isRenewed ? rest : []', 'rest', 'the application sees what came with a bad credential'],
  ]),
  ...of('connections/renewal.ts', logouts, [
    [
      'return { identity, subject, expiresAt',
      'return { identity, expiresAt',
      'a renewal by another node outlives a logout',
    ],
  ]),
  ...of('connections/registry.ts', logouts, [
    ['...this.#bySubject.get(target.subject)', '', 'who is called otherwise stays'],
  ]),
  ...of('connections/connections.ts', live, [
    [
      "if (revocation) this.end(connection, 'revoked', revocation)\n    else if (!hasPlace)",
      'if (this.isDraining)',
      'a connection that a revocation has overtaken',
    ],
    ["else if (this.isDraining) this.end(connection, 'restart')", '', 'a draining node opens connections'],
    ['if (!this.isOpen(connection)) return undefined', '', 'the application sees a connection that is over'],
    [
      'if (!this.isOpen(connection)) return undefined',
      'if (!this.#isLive(connection)) return undefined',
      'a connection whose credential has ended',
    ],
    ['.filter((live) => this.isOpen(live))', '', 'a renewal revives what has ended'],
    [
      "if (revocation) this.end(connection, 'revoked', revocation)\n    return revocation === undefined",
      'return true',
      'a connection renews itself with what was revoked',
    ],
  ]),
  ...of('connections/renewals.ts', live, [
    [
      'if (!sameIdentity(accept.identity, connection.identity)) return false',
      '',
      'a connection becomes that of another identity',
    ],
    [
      'if (writtenAt(accept) < writtenAt(connection.accept)) return true',
      '',
      'an older credential replaces a newer one',
    ],
  ]),
  ...of('connections/expiry.ts', live, [
    [
      'if (this.#options.clock.now() < connection.deadline) return true',
      'return true',
      'a message crosses after the end',
    ],
    ['Math.min(expiresAt + leeway, since + maxAge)', 'expiresAt + leeway', 'a connection lives for ever by renewals'],
    ['Math.min(expiresAt + leeway, since + maxAge)', 'since + maxAge', 'a connection outlives its credential'],
    ['connection.deadline = Number.NEGATIVE_INFINITY', '', 'what waited crosses after the end'],
  ]),
  ...of('connections/drain.ts', live, [
    ['if (this.#sockets > 0) await', 'if (false) await', 'a drain is over while sockets are open'],
    ['    this.#sockets -= 1\n', '', 'a drain waits for ever'],
  ]),
  ...of('connections/connections.ts', nodes, [
    [
      "        if (state === 'unavailable')\n          for (const connection of this.#registry.values()) this.end(connection, 'unavailable')\n",
      '',
      'connections live on that nobody knows to be revoked',
    ],
    ['if (changed) events', 'events', 'an event at every look at a store that is out of reach'],
    ['    await this.log.stop()\n', '', 'a node that has gone down still counts'],
  ]),
  ...of('connections/connections.ts', leases, [
    ['lease === undefined ? undefined : { ...accept, lease }', '{ ...accept, lease }', 'any number of connections'],
    [
      "onLost: (connection) => this.end(connection, 'replaced')",
      'onLost: () => {}',
      'a connection lives on that has lost its place',
    ],
    ['this.#leases?.keep(connection) ?? true', 'true', 'the place of a live connection ends'],
    [
      "else if (!hasPlace) this.end(connection, 'replaced')",
      'else if (false) {}',
      'a connection opens whose place another has',
    ],
    [
      "if (verdict.type === 'accept') this.#leases?.abandon(verdict)",
      'void verdict',
      'a place is taken by a client that has left',
    ],
    ['    this.#leases?.drop(connection)\n', '', 'a place is taken for a minute by nobody'],
  ]),
  ...of('connections/renewals.ts', wrongNode, [
    ["if (named.length === 0) return 'connection-unknown'", '', 'a renewal of nothing is answered as if it were done'],
    [
      "if (same.length === 0) return 'identity-changed'",
      '',
      'a renewal as somebody else is answered as if it were done',
    ],
    [
      "if (renewed.length === 0) return 'connection-unknown'",
      '',
      'a renewal that has just ended its connection is answered as if it were done',
    ],
    [
      "connection === undefined ? accept.session === undefined : here !== 'connection-unknown'",
      'true',
      'a renewal does nothing on another node',
    ],
    [
      "connection === undefined ? accept.session === undefined : here !== 'connection-unknown'",
      'false',
      'a renewal of a connection of this node fails with the store',
    ],
    ['recheck: held.recheck, ', '', 'a session is looked up no more once another node has renewed it'],
    [
      "return all.includes('identity-changed') ? 'identity-changed' : 'connection-unknown'",
      "return 'connection-unknown'",
      'somebody else is told that there is no such connection',
    ],
    [
      "renewal === 'connection-unknown' ? undefined",
      "renewal === 'none' ? undefined",
      'a node that has nothing answers for the one that has',
    ],
  ]),
  ...of('connections/renewal.ts', wrongNode, [
    ['isRejected(checkedAnswer(accept))', 'false', 'what another node asks is believed in no field'],
    [
      "connection !== undefined && typeof connection !== 'string'",
      'false',
      'what another node asks is believed',
      'Equivalent: no connection has a name that is no text, so that none is found.',
    ],
    [' || !Number.isFinite(accept.vouchedAt)', '', 'what another node asks is believed'],
  ]),
  ...of('connections/renewals.ts', inBand, [
    [
      'if (!connections.isOpen(connection) || connection.renewing) return false',
      'if (!connections.isOpen(connection)) return false',
      'any number of renewals at once',
    ],
    [
      'if (!connections.isOpen(connection) || connection.renewing) return false',
      'if (connection.renewing) return false',
      'a connection that is over asks a verifier',
    ],
    ['    connection.renewing = false\n', '', 'a connection is renewed once only'],
    [
      'if (!connections.isOpen(connection)) return false\n    if (verdict',
      'if (verdict',
      'a renewal revives what ended meanwhile',
    ],
    ['if (!saysNothing(verdict.code)) tell', 'tell', 'a client drops a good credential because a dependency is down'],
    ["      connections.end(connection, 'forbidden')\n", '', 'another identity on the same connection lives on'],
    [
      'return connections.isOpen(connection) && acknowledge',
      'return acknowledge',
      'a renewal is acknowledged that was revoked',
    ],
  ]),
  ...of('connections/registry.ts', live, [
    [
      'if (target.user !== undefined) return this.#byUser.get(target.user)',
      'if (target.user !== undefined) return []',
      'connections of a revoked user live on',
    ],
    [
      'if (target.connection === undefined) return [...this.#byId.values()]',
      'if (target.connection === undefined) return []',
      'connections of what was issued before a time live on',
    ],
  ]),
  ...of(
    'connections/deadlines.ts',
    ['unit/connections/deadlines.test.ts'],
    [
      ['if (slot > now) continue', '', 'what is not due ends'],
      ['      items[place] = last\n', '', 'what should end is lost because something else was taken off'],
      ['      fieldsOf(last)[this.#place] = place\n', '', 'what lives on ends in place of another'],
    ],
  ),
  ...of('connections/connections.ts', rechecks, [
    [
      'if (connection.expiresAt !== expiresAt) this.#expiry',
      'this.#expiry',
      'a client is told of its end as often as a recheck asks',
    ],
  ]),
  ...of('connections/recheck.ts', rechecks, [
    ['if (this.#asking >= atOnce) return', '', 'all connections are asked about at once'],
    ['before.expiresAt <= clock.now()', 'false', 'a session that its store forgets at its end is taken for signed out'],
    ['isOver || ', 'before.expiresAt !== undefined || ', 'who has signed out comes again'],
    [
      'if (!connection.accept.recheck) this.drop(connection)',
      '',
      'a connection ends because nobody can look it up again',
    ],
    ['(1 - randomFraction(random))', '1', 'who came together is asked about together'],
    [
      '    if (this.#isAsked(question)) {\n      const next',
      '    {\n      const next',
      'an answer about an older credential ends a newer one',
    ],
    ['if (!this.#connections.isOpen(connection)) return life.recheck', '', 'an answer revives what has ended'],
    ["reason === 'credential-expired' || ", '', 'who has expired does not come again'],
    [
      "if (!sameIdentity(answer.identity, before.identity)) {\n      this.#connections.end(connection, 'forbidden')\n    } else if",
      'if',
      'a connection becomes that of another identity',
    ],
    [
      "if (left <= 0) this.#connections.end(connection, 'unavailable', { error })\n    else ",
      '',
      'a connection lives on for ever while the store is down',
    ],
    [
      'question.silentSince ??= clock.now()',
      'question.silentSince = clock.now()',
      'a connection lives on for ever while the store is down',
    ],
    ['    question.silentSince = undefined\n', '', 'a store that was down long ago ends connections'],
    ['    this.#deadlines.delete(question)\n', '', 'a connection that is gone is asked about'],
  ]),
  ...of(
    'connections/transport.ts',
    [...live, 'threats/e-first-message.test.ts', 'unit/dialects/clients.test.ts'],
    [
      ['closeCodes[code] ?? (', '(', 'the clients of other protocols come again for ever'],
      ['  transport.shut()\n', '', 'messages cross behind the Close'],
      ['dropsQueue.has(code) && transport.bufferedAmount > 0', 'false', 'who was revoked still gets what waits for it'],
      ['      gone()\n', '', 'a timer for a socket that is gone'],
      ['    transport.onClose(nobody)\n', '', 'a socket that nobody could end is over twice'],
      ['      listener?.closed()\n', '', 'nobody learns that a socket which was ended is closed'],
    ],
  ),
  ...of(
    'connections/heartbeat.ts',
    ['unit/connections/heartbeat.test.ts', 'threats/h-heartbeat.test.ts'],
    [
      ['} else if (connection.unanswered === enough) {', '} else if (false) {', 'a peer that is gone keeps its place'],
      ['if (connection.unanswered > 0 && !transport.isSilent) {', 'if (false) {', 'a peer that answers is ended'],
      ['    this.#looks.delete(connection)\n', '', 'a connection that is over is pinged'],
    ],
  ),
  ...of(
    'connections/source.ts',
    ['threats/d-policy.test.ts', 'threats/f-recheck.test.ts'],
    [["origin === undefined ? [] : [['origin', origin]]", '[]', 'a page that may no longer connect renews']],
  ),
]
