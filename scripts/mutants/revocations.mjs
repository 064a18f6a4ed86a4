// What is no longer good, on every node.
import { mutantsOf } from '../mutants-of.mjs'

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
const nodes = ['threats/i-cut-off.test.ts', 'threats/i-nodes.test.ts']
const of = mutantsOf()

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
    ['if (session !== undefined) targets.push({ session, issuer })', '', 'a logout token of a session ends nothing'],
    [
      'if (user !== undefined) {',
      'if (user !== undefined && session === undefined) {',
      'what names no session lives on',
    ],
    ['targets.push({ session, issuer })', 'targets.push({ session })', 'a logout ends a session of another issuer'],
    ['...sessionless }', '}', 'a logout of one session ends the others'],
    ['await Promise.all(', 'void Promise.allSettled(', 'a logout that no other node knows of is answered 200'],
  ]),
  ...of('verifiers/session.ts', logouts, [
    [
      'return { identity, subject, expiresAt',
      'return { identity, expiresAt',
      'a session of the application outlives a logout',
    ],
  ]),
  ...of('revocation/revocations.ts', logouts, [
    ['|| issuer === subject.issuer', '|| true', 'a logout ends a session of another issuer'],
    ['subject.issuer === undefined ||', '', 'a session that does not say whose it is outlives its logout'],
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
  ...of('revocation/entry.ts', logouts, [
    ['{ sessionless }', '{}', 'another node ends the other sessions'],
    ['{ session, ...ofIssuer }', '{ session }', 'another node ends a session of another issuer'],
  ]),
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
      ['      ...ofIssuer,\n', '', 'a revocation means the namesake of another issuer'],
      [
        "      ...(typeof tenant === 'string' && { tenant }),\n",
        '',
        'a revocation means the namesake of another tenant',
      ],
      ['      ...time,\n', '', 'a revocation means who has logged in since'],
    ],
  ),
  ...of('revocation/revocations.ts', revocations, [
    ['if (session !== holder.session) return false', '', 'a revocation of one session means all'],
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
]
