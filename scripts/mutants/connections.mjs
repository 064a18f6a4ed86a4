// Sockets and connections: what they may use, who ends them, and what still crosses.
const life = 'unit/connections/connection-life.test.ts'
const live = [
  life,
  'unit/connections/connections.test.ts',
  'unit/connections/drain.test.ts',
  'unit/adapters/ws.test.ts',
]
const revocations = [
  'unit/revocation/revocations.test.ts',
  'threats/f-lifetimes.test.ts',
  'unit/connections/connections.test.ts',
  life,
]
const logouts = ['threats/f-logout-token.test.ts']
const targets = ['threats/f-targets.test.ts']
const rechecks = ['threats/f-recheck.test.ts']
const places = 'threats/f-places.test.ts'
const leases = [life, 'threats/f-registry.test.ts', places]
const wrongNode = ['threats/f-wrong-node.test.ts', 'threats/f-renewal.test.ts']
const inBand = [...live, 'threats/f-renewal.test.ts']
const nodes = ['threats/i-cut-off.test.ts', 'threats/i-nodes.test.ts']
const firstMessages = [
  life,
  'unit/connections/first-message.test.ts',
  'unit/connections/dialects.test.ts',
  'threats/e-first-message.test.ts',
]
const forged = ['threats/e-forged.test.ts']
const dialects = ['unit/connections/dialects.test.ts']
const contract = ['contract/dialects.test.ts']
const innerDoor = ['unit/connections/inner-door.test.ts']
const sockets = 'unit/adapters/sockets.test.ts'
const ws = [
  sockets,
  'unit/adapters/ws.test.ts',
  'unit/connections/inner-door.test.ts',
  'contract/adapter.ws.test.ts',
  places,
]
const nest = ['nest/gateways.test.ts', 'nest/contract.test.ts']
const bun = ['runtimes/adapter.bun.test.ts']
const deno = ['runtimes/adapter.deno.test.ts']
const crossws = ['unit/adapters/crossws.test.ts', 'contract/adapter.crossws.test.ts']
const slowReaders = ['threats/g-pending.test.ts', 'unit/adapters/ws.test.ts']
const calls = ['threats/g-routes.test.ts']
const waiting = ['threats/g-waiting.test.ts']
const refused = ['threats/g-refused.test.ts']
const bounds = ['unit/bounds.test.ts']
const routes = ['unit/routes.test.ts', 'unit/bounds.test.ts', 'threats/a-bodies.test.ts']
const bodies = ['threats/a-bodies.test.ts', 'unit/routes.test.ts', 'unit/bounds.test.ts']

const of = (file, tests, list) =>
  list.map(([find, replace, why, survives]) => ({ file, find, replace, tests, why, ...(survives && { survives }) }))

export default [
  ...of(
    'connections/revoking.ts',
    ['threats/i-cut-off.test.ts'],
    [
      [
        'Math.max(life.revocationMemory, life.maxStaleness)',
        'life.revocationMemory',
        'a node that was cut off never learns of a revocation',
      ],
    ],
  ),
  ...of('connections/recheck.ts', wrongNode, [
    [' || before.renewedElsewhere', '', 'who was renewed by another node is taken for signed out'],
    ['!before.renewedElsewhere && ', '', 'a recheck takes back what another node has renewed'],
  ]),
  ...of('connections/renewals.ts', wrongNode, [
    ['held.renewedElsewhere === true || !isSame', '!isSame', 'the second renewal by another node is forgotten'],
    ['held.renewedElsewhere === true || !isSame', 'true', 'who has signed out comes again'],
  ]),
  ...of('connections/first-message.ts', dialects, [
    [
      'for (const message of heard.rest) kept.push(wire.write(message))',
      '{}',
      'the application never sees what is its own',
    ],
    [
      "        } catch (error) {\n          fail('internal-error', { error })\n",
      '        } catch {\n',
      'a dialect that throws waits',
    ],
    ["return fail('credential-absent')", 'return', 'who says no credential is neither refused nor let in'],
  ]),
  ...of('connections/renewals.ts', dialects, [
    ['isRenewed ? rest : []', 'rest', 'the application sees what came with a bad credential'],
  ]),
  ...of('connections/accepted-socket.ts', contract, [
    ['letIn(rest.map(wire.write))', 'letIn()', 'the application never sees what came with a renewal'],
    ['      if (this.#held) {\n', '      if (false) {\n', 'what is behind a renewal overtakes it'],
  ]),
  ...of('connections/undecided.ts', dialects, [
    [
      'connection && acknowledge(connections, connection)',
      'connection && (acknowledge(connections, connection) || true)',
      'the application sees a connection that is over',
    ],
  ]),
  ...of('connections/tell.ts', dialects, [
    ["connections.end(connection, 'internal', { error })", '', 'a dialect that throws has said nothing'],
  ]),
  ...of('dialects/plain.ts', forged, [
    [
      'nonceOf(frame) === this.#nonce ? heard(frame) : undefined',
      'heard(frame)',
      'text that a client relays renews, or ends, its connection',
    ],
    ['    const nonce = this.#nonce\n', '    const nonce = undefined\n', 'a client cannot tell our frames from others'],
    ["{ type: 'auth_fail', nonce }", "{ type: 'auth_fail' }", 'a refusal without the nonce of the client'],
    ['    this.#nonce = nonceOf(frame)\n', '', 'the nonce is forgotten with the first message'],
  ]),
  ...of('connections/revoking.ts', live, [
    ['byId || revokes(revocation, connection.accept)', 'true', 'a revocation ends the connections of other issuers'],
    ['byId || revokes(', 'revokes(', 'a connection that is named lives on'],
  ]),
  ...of(
    'connections/revoking.ts',
    ['threats/f-lifetimes.test.ts'],
    [['life.maxStaleness) + 2 * clocksDiffer', 'life.maxStaleness)', 'good again in its last minute']],
  ),
  ...of('connections/revoking.ts', logouts, [
    ['if (session !== undefined) targets.push({ session })', '', 'a logout token of a session ends nothing'],
    [
      'if (user !== undefined) {',
      'if (user !== undefined && session === undefined) {',
      'what names no session lives on',
    ],
    ['...sessionless }', '}', 'a logout of one session ends the others'],
    ['await Promise.all(', 'void Promise.allSettled(', 'a logout that no other node knows of is answered 200'],
  ]),
  ...of('connections/renewal.ts', logouts, [
    [
      'return { identity, subject, expiresAt',
      'return { identity, expiresAt',
      'a renewal by another node outlives a logout',
    ],
  ]),
  ...of('verifiers/session.ts', logouts, [
    [
      'return { identity, subject, expiresAt',
      'return { identity, expiresAt',
      'a session of the application outlives a logout',
    ],
  ]),
  ...of('connections/registry.ts', logouts, [
    ['...this.#bySubject.get(target.subject)', '', 'who is called otherwise stays'],
  ]),
  ...of('revocation/revocations.ts', logouts, [
    ['named.id !== subject ||', '', 'a logout of one user ends all of the issuer'],
    ['|| named.issuer !== issuer', '', 'a logout ends the namesake of another issuer'],
    [
      'if (sessionless && session !== undefined && session !== token) return false',
      '',
      'a logout of one session ends the others',
    ],
    [
      'session !== undefined && session !== token',
      'session !== undefined',
      'a token whose session is its jti lives on',
    ],
    [': issuedAt <= issuedBefore', ': true', 'who logs in again is refused'],
    ['? vouchedAt <= at :', '? true :', 'who logs in again is refused by a token that does not say when it was issued'],
    ['? vouchedAt <= at :', '? vouchedAt <= issuedBefore :', 'who came in the second of the logout stays'],
    [
      'keyOf({ user: identity.id }), `subject:${subject.id}`]',
      'keyOf({ user: identity.id })]',
      'who is called otherwise comes again',
    ],
  ]),
  ...of('revocation/entry.ts', logouts, [['{ sessionless }', '{}', 'another node ends the other sessions']]),
  ...of('connections/revoking.ts', targets, [
    ['const named = checkedTarget(target)', 'const named = target', 'a target that names nobody means everybody'],
    ["reason !== undefined && typeof reason !== 'string'", 'false', 'a reason that is no text'],
  ]),
  ...of('revocation/target.ts', targets, [
    ["typeof target !== 'object' || target === null", 'false', 'a number means everybody'],
    ['const copy = { ...target }', 'const copy = target', 'a target that changes after it was looked at'],
    ['!ofUser.includes(name) && !alone.includes(name)', 'false', 'a kind of target that is not known'],
    ['isTime(value) : isName(value)', 'isTime(value) : true', 'a user that is no text'],
    ['? isTime(value) : isName', '? true : isName', 'a revocation before NaN revokes nothing'],
    ['Math.abs(value) <= lastTime', 'Number.isFinite(value)', 'a revocation until a time that no store can keep'],
    ['? names.every((name) => ofUser.includes(name))', '? true', 'two targets are taken for one of them'],
    [
      ': names.length === 1 && alone.includes(first)',
      ': alone.includes(first)',
      'two targets are taken for one of them',
    ],
    [': names.length === 1 && alone.includes(first)', ': names.length === 1', 'all users of an issuer'],
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
  ...of('connections/undecided.ts', leases, [
    [
      'onAbandon: (verdict) => connections.abandon(verdict)',
      'onAbandon: () => {}',
      'a place is taken by a client that left during its first message',
    ],
  ]),
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
  ...of(
    'revocation/log.ts',
    ['threats/i-store-throws.test.ts'],
    [['async ask(', 'ask(', 'a store that throws at once uses up the questions of somebody']],
  ),
  ...of('revocation/log.ts', nodes, [
    ["staleness < maxStaleness ? 'stale' : 'unavailable'", "'stale'", 'what is known is used for ever'],
    ['currentAt = Number.NEGATIVE_INFINITY', 'currentAt = clock.now()', 'a node that knows nothing yet accepts'],
    ["if (this.state === 'unavailable') throw", 'if (false) throw', 'a credential that nobody knows to be revoked'],
    [
      'this.#following.time.earliest',
      'this.#following.time.latest',
      'what may have been vouched for before counts as after',
    ],
    [
      'this.#following.time.latest',
      'this.#following.time.earliest',
      'what may have been issued before counts as after',
    ],
    ['    this.#take(made)\n', '', 'a revocation waits for the store'],
    [
      'if (this.#revocations.add(revocation)) this.#options.apply(revocation)',
      'this.#revocations.add(revocation)',
      'a revocation ends no connection',
    ],
    ['      this.#unsent.add(revocation)\n', '', 'the other nodes never hear of a revocation'],
    ['      this.#unsent.delete(revocation)\n', '', 'a revocation is sent for ever'],
    ['() => Number.NEGATIVE_INFINITY', '() => Number.POSITIVE_INFINITY', 'what was revoked before a node came'],
    ['if (changed || state', 'if (false || state', 'nobody hears that the store is back'],
    [
      "if (changed || state === 'unavailable')",
      'if (changed)',
      'a connection that opens once the store is out of reach lives on',
    ],
    [
      'if (this.#following.currentAt !== undefined) return Promise.resolve()',
      'return Promise.resolve()',
      'a node says that it is ready before it is',
    ],
    ['if (this.#following.currentAt !== undefined) for', 'for', 'a node says that it is ready before it is'],
  ]),
  ...of(
    'revocation/entry.ts',
    ['unit/revocation/entry.test.ts'],
    [
      ["return time || 'all'", "return time || { session: '' }", 'a revocation of an unknown kind is ignored'],
      [
        "typeof at === 'number' ? at : now",
        "typeof at === 'number' ? at : 0",
        'a revocation without a time means nobody',
      ],
      ['    return {}\n', "    return { target: { session: '' } }\n", 'a malformed revocation is ignored'],
      [
        "      ...(typeof issuer === 'string' && { issuer }),\n",
        '',
        'a revocation means the namesake of another issuer',
      ],
      [
        "      ...(typeof tenant === 'string' && { tenant }),\n",
        '',
        'a revocation means the namesake of another tenant',
      ],
      ['      ...time,\n', '', 'a revocation means who has logged in since'],
    ],
  ),
  ...of('revocation/revocations.ts', revocations, [
    ['target.session === holder.session', 'true', 'a revocation of one session means all'],
    [
      'if (target.token !== undefined) return target.token === holder.token',
      'if (target.token !== undefined) return false',
      'a revoked token passes',
    ],
    [
      '(target.issuer === undefined || target.issuer === issuer) &&',
      '',
      'a revocation means the namesake of another issuer',
    ],
    [
      '(target.tenant === undefined || target.tenant === tenant) &&',
      '',
      'a revocation means the namesake of another tenant',
    ],
    [
      'if (this.#byKey.size === 0) return undefined',
      '',
      'the look-up is made for nothing',
      'Equivalent: nothing is found in an empty map. It saves making the keys.',
    ],
    [
      'Math.max(...kept.map((each) => this.endOf(each)))',
      'this.endOf(revocation)',
      'a revocation is forgotten because of a shorter one',
    ],
    ['this.endOf(revocation) <= this.#now() || sameKey', 'sameKey', 'a revocation that is over ends connections'],
    [
      'namesConnection ? this.#connectionMemory : this.#memory',
      'this.#memory',
      'a revocation of one connection is kept for a day',
    ],
    [
      'Math.min(issuedAt ?? vouchedAt, vouchedAt)',
      'issuedAt ?? vouchedAt',
      'what was issued in the future is out of reach',
    ],
    ['|| sameKey.some((old) => covers(old, revocation))', '', 'a revocation is applied as often as it comes'],
    ['issuedUntil(newer) >= issuedUntil(older) && ', '', 'a ban until a time to come ends with a logout'],
    ['{ ...target, issuedBefore: undefined }', 'target', 'every logout of a user costs memory of its own'],
    [
      '...sameKey.filter((old) => !covers(revocation, old))',
      '...sameKey',
      'revocations that say the same grow without bound',
    ],
    ['return target.connection === holder.lease', 'return false', 'a connection opens whose place another has by then'],
    [
      '  if (lease !== undefined) keys.push(keyOf({ connection: lease }))\n',
      '',
      'a connection opens whose place another has by then',
    ],
    [
      'Math.max(revocation.at, issuedUntil(revocation))',
      'revocation.at',
      'a revocation of a time to come is forgotten before it',
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
    [['if (slot > now) continue', '', 'what is not due ends']],
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
  ...of('connections/first-message.ts', firstMessages, [
    ['if (!pending) return asked.onAbandon(verdict)', 'if (!verdict) return', 'a verdict that comes too late counts'],
    [
      'if (transport.isOpen) asked.onAccept(verdict, kept, conversation)\n      else asked.onAbandon(verdict)',
      'asked.onAccept(verdict, kept, conversation)',
      'a socket that is closing becomes a connection',
    ],
    ["if (state === 'waiting') fail('message-late')", '', 'a socket waits for ever'],
    ["if (state !== 'waiting') return false", '', 'a socket whose credential is verified is thrown out'],
    ["if (state === 'waiting') fail('credential-too-large')\n", '', 'a socket without a credential sends for ever'],
    ["if (state === 'verifying') keepBack()", '', 'what follows the credential is kept without bound'],
    [
      'received > wait.maxBytes + maxKeptBytes',
      'false',
      'where nobody can stop reading, what follows the credential is kept without bound',
    ],
    [
      "} else if (state === 'waiting') {",
      '} else {',
      'a second guess on the same socket',
      'Equivalent: a socket that is decided has let go of the guard, and its gate is shut.',
    ],
  ]),
  ...of('connections/inner-door.ts', innerDoor, [
    ['return messages > messagesPerSecond', 'return false', 'a flood'],
    ['return permission === true', 'return true', 'a message that was denied'],
    [
      'message === undefined || !connections.isOpen(connection)',
      'message === undefined',
      'a message that waited crosses after the end',
    ],
    [
      '?? false',
      '?? true',
      'a message that nobody was asked about',
      'Equivalent: only what `authorize` was asked about waits, so that it is there.',
    ],
    ['if (!connections.isOpen(connection)) return false', '', 'a message crosses after the end'],
    ["if (!waiting.add(message)) connections.end(connection, 'limited')", 'waiting.add(message)', 'messages vanish'],
    ['    if (takes?.(message)) return false\n', '', 'the application sees a credential'],
  ]),
  ...of('connections/backlog.ts', innerDoor, [
    ['    if (this.#isFull) this.#transport.pause?.()\n', '', 'any number of messages wait'],
    ['this.#messages.length >= maxMessages || ', '', 'any number of small messages waits'],
    [' || this.#bytes >= maxBytes', '', 'messages of any size wait'],
    ['if (this.#lateBytes > maxLateBytes) return false', '', 'what was compressed waits without bound'],
    ['if (message !== undefined) this.#bytes -= this.#sizeOf(message)', '', 'what is delivered still waits'],
  ]),
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
  ...of(
    'adapters/node/head-deadline.ts',
    ['unit/adapters/head-deadline.test.ts'],
    [
      ['    cancelTimer ??= clock.after(ms, onTimer)\n', '', 'a silent connection stays for ever'],
      ['oldest && clock.after(oldest.due - now, onTimer)', 'undefined', 'all but the first stay for ever'],
      ['if (due > now) break', '', 'a connection ends with another that came before it'],
      ['if (requestEvents.has(event)) onHead', 'if (false) onHead', 'a connection ends whose request has come'],
      ['isSecure ? undefined : tcp', 'tcp', 'a word in the clear into a connection of TLS'],
      ['if (waiting.size >= sweepAt) sweep()', '', 'connections that have left are held for ten seconds, however many'],
      ['    if (entry) entry.http = http\n', '', 'a connection of TLS ends without an answer'],
      ['    cancelTimer?.()\n', '', 'a timer for nobody'],
      ['if (socket.bytesRead > 0) socket.write', 'socket.write', 'an answer to who has asked nothing'],
      ['socket.remotePort === undefined ? undefined :', '', 'one peer of a Unix socket speaks for all'],
    ],
  ),
  ...of(
    'adapters/node/next-heads.ts',
    ['unit/adapters/next-heads.test.ts'],
    [
      ['    serving.set(socket, Number.POSITIVE_INFINITY)\n', '', 'what a WebSocket sends is taken for a slow head'],
      ['socket.bytesRead > entry.bytesRead', 'false', 'a second head may take as long as it likes'],
      ['socket.bytesRead > entry.bytesRead', 'true', 'an idle connection is taken for a slow one'],
      ['if (request.complete) onDone()', 'if (true) onDone()', 'the rest of a body is taken for a head'],
      ['if (left > 0 || ', 'if (', 'a request is ended that is still served'],
      ['    forget(socket)\n    serving', '    serving', 'a connection ends whose second head has come'],
      ['    cancelTimer?.()\n', '', 'a timer for nobody'],
    ],
  ),
  ...of(
    'adapters/node/event-tap.ts',
    ['unit/adapters/event-tap.test.ts'],
    [
      ['if (tap(event, args)) return true', 'tap(event, args)', 'others see what is ours'],
      ['ours.taps.filter((other) => other !== tap)', 'ours.taps', 'a path that was given back is still taken'],
      ['if (ours.taps.length === 0) ours.restore()', '', 'an emitter that nobody watches stays changed'],
    ],
  ),
  ...of(
    'adapters/node/stand-in.ts',
    ['unit/adapters/upgrades.test.ts'],
    [
      ['if (removed === event) process.nextTick(stand)', '', 'upgrades become requests when the last listener goes'],
      [
        'if (added === event && listener !== standIn) server.off(event, standIn)',
        '',
        'a listener that is alone thinks that it is not',
      ],
    ],
  ),
  ...of(
    'adapters/node/taken.ts',
    ['unit/adapters/upgrades.test.ts'],
    [
      ['if (!isTaken()) then()', 'then()', 'a refusal into what others write'],
      ['writtenOf(socket) !== written', 'false', 'a refusal behind what others have written'],
      ['socket.readableFlowing !== null', 'false', 'a refusal to who is read by others'],
      [
        'else cancel = look(touchedGrace - untouchedGrace, callback)',
        'else callback()',
        'others have a second to think',
      ],
      ["  socket.once('close', () => cancel())\n", '', 'timers for peers that are gone'],
    ],
  ),
  ...of(
    'adapters/node/upgrades.ts',
    [sockets, 'unit/adapters/upgrades.test.ts', 'unit/adapters/ws.test.ts', 'threats/a-upgrade.test.ts'],
    [
      ["  socket.on('error', ignore)\n", '', 'a reset ends the process'],
      ['  limitRest(socket)\n', '', 'a refusal is lost when the peer still sends'],
      ['      unlessTaken(socket, clock, turnAway)\n', '', 'an upgrade that nobody takes stays open for ever'],
      ['    if (place === -1) return\n', '', 'a path is given back by who has it no more'],
      ['if (covers(first, path))\n', 'if (false)\n', 'a route that is never asked'],
      ['if (params && owed.on(socket))', 'if (false)', 'the answer to another request is taken for frames'],
      [
        "if (response) response.once('close', ",
        "if (false) response?.once('close', ",
        'a refusal is taken for the answer to another request',
      ],
    ],
  ),
  ...of('limits/at-once.ts', wrongNode, [
    ['if (running >= this.#max) return undefined', '', 'who renews what nobody has asks every node without bound'],
    ['.finally(() => this.#done(name))', '', 'who has asked twenty times may never ask again'],
  ]),
  ...of('adapters/ws/other-servers.ts', ws, [
    ['if (!options.noServer) {', 'if (false) {', 'another listener upgrades what is guarded'],
    ["if (typeof options.WebSocket !== 'function') {", 'if (false) {', 'messages of an old ws go around the gate'],
  ]),
  ...of('adapters/node/rest.ts', refused, [
    ['if (bytes > maxRest) socket.destroy()', '', 'who is refused sends for a whole second'],
  ]),
  ...of('adapters/ws/gated-socket.ts', refused, [
    ['    limitRest(this.#socket)\n', '', 'ws puts together what comes behind the end'],
  ]),
  ...of('adapters/ws/arrival.ts', refused, [
    [
      '      this.#leave()\n      this.#options.connections.undecided.turnAway',
      '      this.#options.connections.undecided.turnAway',
      'who is refused by Close keeps its place',
    ],
    ['    this.#leave()\n    refuseSocket', '    refuseSocket', 'who is refused by status keeps its place'],
  ]),
  ...of(
    'connections/first-message.ts',
    [...refused, ...firstMessages],
    [['    pending?.onDecided()\n', '', 'who is refused by its first message keeps its place']],
  ),
  ...of(
    'limits/lingering.ts',
    ['unit/limits/lingering.test.ts'],
    [
      ['if (this.#ends.size >= maxLingering) oldest?.()', '', 'any number of refused sockets stays for a second'],
      ['      this.#ends.delete(leave)\n', '', 'what is gone counts'],
      ['      cancel()\n', '', 'a timer for a socket that is gone'],
    ],
  ),
  ...of('adapters/ws/gated-socket.ts', ws, [
    ["if (event === 'message') {", 'if (false) {', 'messages go around the gate'],
    [
      "if (event === 'error' && this.listenerCount(event) === 0) return super.emit(errorMonitor, ...args)\n",
      '\n',
      'a broken frame ends the process',
    ],
    ["      if (event === 'close') gated.closed()\n", '', 'a connection that is gone counts as live'],
    ['if (deliver in Base.prototype) return', '', 'a gate before the gate, for each route'],
    ['      sends?.beforeSend()\n', '', 'the application sends to who is no longer authenticated'],
    ['    this.#receiver = nobody\n', '', 'messages cross behind the Close'],
    ['if (!this.#isShut) this.#receiver', 'this.#receiver', 'messages cross behind the Close, when it comes early'],
    [
      'if (this.webSocket.readyState === WebSocket.CLOSED) listener.closed()',
      '',
      'a socket that was gone before counts as live',
    ],
  ]),
  ...of('adapters/ws/arrival.ts', ws, [
    ["    this.socket.on('close', this.#onClose)\n", '', 'a place is never left'],
    [
      '    if (this.#verdict) this.#options.connections.abandon(this.#verdict)\n',
      '',
      'a place of an identity is taken by a client that has left',
    ],
    ['if (this.socket.destroyed) this.#giveUp()', 'if (false) {}', 'a place is taken by a client that has left'],
  ]),
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
    'adapters/ws/gated-socket.ts',
    ['threats/h-heartbeat.test.ts'],
    [
      ['this.#ping.isUnderWay || this.#ping.isAnswered', 'this.#ping.isAnswered', 'a clock that jumps ends everybody'],
      ['bytesReadOf(this.#socket) !== this.#ping.bytesRead ||', '', 'a peer that sends a long message is ended'],
    ],
  ),
  ...of('dialects/dialect.ts', ws, [
    ['if (canBeSent(code)) continue', 'continue', 'a dialect whose code cannot be sent ends the process'],
  ]),
  ...of(
    'connections/source.ts',
    ['threats/d-policy.test.ts', 'threats/f-recheck.test.ts'],
    [["origin === undefined ? [] : [['origin', origin]]", '[]', 'a page that may no longer connect renews']],
  ),
  ...of('adapters/ws/complete.ts', ws, [
    [
      "else if (headers['sec-websocket-protocol'] !== undefined) delete headers['sec-websocket-protocol']\n",
      '\n',
      'a credential is echoed as the subprotocol',
    ],
    [
      '    upgrade.webSocketServer.clients?.delete(gated.webSocket)\n',
      '',
      'a broadcast reaches a socket between the doors',
    ],
    ["  delete upgrade.request.headers['sec-websocket-extensions']\n", '', 'a stranger has messages inflated'],
  ]),
  ...of('adapters/ws/gated-socket.ts', waiting, [
    [
      'if (this[gate]) this[gate].pausedByApplication(false)',
      'if (false) {}',
      'the application opens what the guard has paused',
    ],
    ['this.#isShut || !(', '!(', 'a peer cannot answer the Close'],
    [' || this.#isPausedByApplication)', ')', 'the guard opens what the application has paused'],
    [
      'if (Array.isArray(data)) return data.reduce',
      'if (Array.isArray(data)) return 0 * data.reduce',
      'messages in fragments wait without bound',
    ],
    ['data instanceof Blob ? data.size', 'data instanceof Blob ? 0', 'messages as blobs wait without bound'],
  ]),
  ...of('connections/accepted-socket.ts', waiting, [
    ['      takes: (message) => this.#isTaken(message),\n', '', 'frames of the guard flood it'],
  ]),
  ...of('adapters/ws/hand-over.ts', ws, [
    [
      'isHeard(webSocket) ? accepted.letIn([message]) : hold(',
      'accepted.letIn(',
      'messages are lost ahead of a listener',
    ],
    ['    hold(kept)\n', '', 'messages behind the first are lost ahead of a listener'],
  ]),
  ...of('connections/accepted-socket.ts', ws, [
    ['return connections === this.#options.connections ?', 'return true ?', "a connection of another guard's identity"],
  ]),
  ...of('connections/accepted-socket.ts', ws, [
    ['return !this.#isTaken(message) && ', 'return ', 'the application sees a credential'],
    ['this.#mayPass(message) : ', 'true : ', 'a message that may not pass'],
    [' && this.#options.connections.isOpen(this.#connection)', '', 'a message crosses behind the deadline'],
    ['options.messagesPerSecond !== undefined', 'false', 'a rate that holds only beside an authorize'],
    [
      '  beforeSend(): void {\n    this.#options.connections.isOpen(this.#connection)\n',
      '  beforeSend(): void {\n',
      'the application sends to who is no longer authenticated',
    ],
    ['    gated.sends = this\n', '', 'nobody looks after what is sent'],
  ]),
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
  ...of('connections/accepted-socket.ts', slowReaders, [
    ["    this.#options.connections.end(this.#connection, 'limited')\n", '', 'a slow reader leaves without an event'],
    ['    this.#gated.terminate?.()\n', '', 'a slow reader keeps what waits for it until it has ignored a Close'],
    [
      'this.#gated.bufferedAmount <= this.#options.maxBufferedBytes',
      'this.#gated.bufferedAmount <= 0',
      'a reader of a moment ago is ended',
    ],
  ]),
  ...of('adapters/ws/gated-socket.ts', slowReaders, [
    ['      sends?.afterSend()\n', '', 'what waits for a slow reader grows without bound'],
    ["      if (event === 'ping') gated.sends?.afterSend()\n", '', 'pongs for a slow reader grow without bound'],
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
    ["!(Number(headers['content-length']) > 0)", 'true', 'a body is taken for none'],
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
  ...of('adapters/crossws/peer-gate.ts', crossws, [
    ['if (!gate.maySend()) return undefined\n', '\n', 'the application sends to who is between the doors, or over'],
    ['      gate.hasSent()\n', '', 'what waits for a slow reader grows without bound'],
    ['    peers.delete(this.#peer as never)\n', '', 'who is between the doors, or over, hears what all hear'],
    ['this.#peer.unsubscribe(topic)', 'this.#peer', 'who is over hears what is published'],
    ['    this.#hide()\n    showProtocol', '    showProtocol', 'who is between the doors hears what all hear'],
    [
      'override whenShut(): void {\n    this.#hide()\n',
      'override whenShut(): void {\n',
      'who is over hears what all hear',
    ],
    ["    this.#socket.on('data', onData)\n", '', 'a message without a credential is as long as the framework allows'],
    ['    limitRest(this.#socket)\n', '', 'who has been told that it is over goes on to send'],
    ["name === 'protocol' ? protocol : ", '', 'crossws shows the application a credential as the subprotocol'],
  ]),
  ...of('adapters/fetch/socket-gate.ts', crossws, [
    ['this.#isShut || !this.sends', 'false', 'the application sends to who is between the doors, or over'],
    ['    this.sends.beforeSend()\n', '', 'the application sends to who is no longer authenticated'],
    ['    this.#receiver = nobody\n', '', 'messages cross behind the Close'],
    [
      'else this.#count?.(this.sizeOf(message))',
      '',
      'a peer without a credential sends for ever where no byte can be seen',
    ],
    ['this.#rest > maxRest', 'false', 'who has been told that it is over goes on to send, where no byte can be seen'],
  ]),
  ...of('adapters/fetch/passage.ts', crossws, [
    ['clock.after(maxAbsence, () => this.giveUp())', 'undefined', 'a place is held for a peer that never comes'],
    [
      '    if (expected?.verdict) liveConnections(this.#guard).abandon(expected.verdict)\n',
      '',
      'a place among the connections of an identity is held for a peer that never comes',
    ],
    [
      'else liveConnections(this.#guard).abandon(verdict)\n',
      '\n',
      'the same where the peer has left before the verdict',
    ],
    ['done.catch((error: unknown) => this.#accepted?.fail(error))', 'done', 'a hook that rejects ends the process'],
    ['    if (!this.#accepted) return\n', '', 'the application hears of peers that were never accepted'],
  ]),
  ...of('adapters/fetch/fetch-route.ts', bun, [
    ["if ('reason' in place) return refusalResponse(place)", '', 'there is no end to the sockets between the doors'],
    [
      'guard.decide(handshake, this.#admit)',
      'guard.decide({ ...handshake, headers: [] }, this.#admit)',
      'nobody is asked',
    ],
  ]),
  ...of('adapters/bun/bun-gate.ts', bun, [
    ['if (!gated?.maySend()) return 0', '', 'the application sends to who is over'],
    ['      gated.hasSent()\n', '', 'what waits for a slow reader grows without bound'],
    [
      'return this.#isUnanswered && !this.#isUnderWay',
      'return this.#isUnanswered',
      'a clock that jumps ends who is there',
    ],
  ]),
  ...of('adapters/bun/guard-bun.ts', bun, [
    ["'Sec-WebSocket-Protocol': protocol ?? ''", '', 'Bun echoes a credential as the subprotocol'],
    ['        gateOf(ws)?.passage.closed()\n', '', 'the registry holds who is gone'],
  ]),
  ...of('adapters/fetch/event-gate.ts', deno, [
    ['if (!this.maySend()) return', '', 'the application sends to who is over'],
    ['if (this.#coming) event.stopImmediatePropagation()', '', 'messages cross behind the Close'],
  ]),
  ...of('adapters/deno/guard-deno.ts', deno, [
    [
      'setImmediate(() => super.writeClose(code, reason))',
      'super.writeClose(code, reason)',
      'a Close is lost that meets a message',
    ],
  ]),
  ...of('adapters/crossws/upgrade-answer.ts', crossws, [
    ['  headers.delete(name)\n', '', 'the application selects a subprotocol behind the back of the guard'],
    ['delete node.headers[name]', 'node.headers', 'the ws of crossws 0.3 echoes a credential'],
    ['else node.headers[name] = protocol', '', 'the same beside a subprotocol'],
  ]),
  ...of('adapters/crossws/guarded-web-socket.ts', crossws, [
    [".on('error', ignore)", '', 'a peer that resets its connection ends the process'],
    [".once('close', () => passage.giveUp())", '', 'a peer that has left keeps its place until the verdict'],
    ['verdict = await guard.decide(handshake, admit)', 'verdict = await guard.decide(handshake)', 'admit is not asked'],
  ]),
  ...of('adapters/nest/guarded-ws-adapter.ts', nest, [
    ['{ maxPayload: defaultMessageBytes, ...settings', '{ ...settings', 'a message is as long as Nest allows'],
    ["connections.end(live, 'restart')", '{}', 'an application that closes cuts its clients off'],
    ['    this.#leavings.get(server)?.()\n', '', 'clients come into an application that closes'],
    ['const route = { ...this.#options, ', 'const route = { ', 'admit is not asked'],
  ]),
  ...of(
    'adapters/nest/guarded-io-adapter.ts',
    ['nest/socket-io.test.ts'],
    [
      ['    guardSocketIo(io, this.#guard, this.#options)\n', '', 'nobody guards the gateways'],
      ['this.#guard, this.#options)', 'this.#guard)', 'admit is not asked'],
    ],
  ),
]
