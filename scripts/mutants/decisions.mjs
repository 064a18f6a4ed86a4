// What the guard decides, and by what.
import { mutantsOf } from '../mutants-of.mjs'

const guard = 'unit/guard/guard.test.ts'
const a = 'threats/a-credentials.test.ts'
const cookies = 'threats/d-cookie.test.ts'
const origins = 'threats/d-origin.test.ts'
const proxied = 'threats/d-proxied.test.ts'
const routes = 'unit/routes.test.ts'
const firstMessages = 'threats/e-first-message.test.ts'
const refusals = 'unit/guard/refusals.test.ts'
const bounds = 'unit/bounds.test.ts'
const tickets = 'threats/c-tickets.test.ts'
const rechecks = 'threats/f-recheck.test.ts'
const lifetimes = 'threats/f-lifetimes.test.ts'
const answers = 'threats/b-answers.test.ts'
const neighbours = 'threats/g-neighbours.test.ts'
const of = mutantsOf()

export default [
  ...of(
    'guard/decision.ts',
    [rechecks],
    [
      ['settings.life.recheck > 0 && ', '', 'a connection keeps its credential, though nobody asks about it again'],
      [
        "lookedUpAt !== undefined && method.name !== 'ticket'",
        'lookedUpAt !== undefined || method.name === "ticket"',
        'a ticket that is spent is asked about again',
      ],
    ],
  ),
  ...of(
    'guard/decision.ts',
    [guard, a],
    [["if ('reason' in chosen) return chosen", '', 'what must not be verified is verified']],
  ),
  ...of(
    'guard/decision.ts',
    [a, guard],
    [
      [
        'if (!wait || !chosen.method.ambient) return verdict',
        'if (!wait) return verdict',
        'a bad explicit credential falls back to the first message',
      ],
      [
        "&& (verdict.code === 'unauthenticated' || verdict.reason === 'attempts')",
        '',
        'a cookie that could not be looked at falls back to the first message',
      ],
      [" || verdict.reason === 'attempts'", '', "stale cookies of an address lock out another's first message"],
    ],
  ),
  ...of(
    'verdict.ts',
    [guard, a],
    [
      [
        "error instanceof UnavailableError ? 'dependency-unavailable' : 'internal-error'",
        "'internal-error'",
        'a dependency that is down looks like a bug',
      ],
    ],
  ),
  ...of(
    'guard/decision.ts',
    ['threats/a-issuers.test.ts'],
    [
      [
        'if (Buffer.byteLength(chosen.credential) > this.#options.settings.limits.credentialBytes)',
        'if (false)',
        'a credential of any length is looked at',
      ],
    ],
  ),
  ...of(
    'guard/decision.ts',
    [routes, guard, origins],
    [["if (origin === repeated) return refuse('handshake-repeated')", '', 'a route reads one of two origins']],
  ),
  ...of(
    'guard/decision.ts',
    [a],
    [
      [
        "if (reading.type === 'absent') continue",
        "if (reading.type !== 'found') continue",
        'a malformed credential gives way to a cookie',
      ],
      [
        'if (method.ambient) ambient ??= { method, reading }\n    else ',
        '',
        'a cookie counts as an explicit credential',
      ],
    ],
  ),
  ...of(
    'guard/decision.ts',
    [origins, proxied],
    [
      [
        '!ways.fetched && chosen !== undefined',
        'chosen !== undefined',
        'a foreign page sends an Authorization header by fetch',
      ],
    ],
  ),
  ...of(
    'guard/decision.ts',
    [origins, guard],
    [["'method' in chosen && chosen.method.name === 'header'", 'true', 'a foreign page connects with any credential']],
  ),
  ...of(
    'guard/decision.ts',
    [a],
    [["else if (explicit) return refuse('credentials-conflict')", '', 'one of two credentials is picked']],
  ),
  ...of(
    'guard/decision.ts',
    [a, 'unit/carriers.test.ts'],
    [
      [
        "if (first.reading.type !== 'found') return refuse('credential-malformed')",
        '',
        'a malformed credential is verified',
      ],
    ],
  ),
  ...of(
    'guard/decision.ts',
    [cookies, origins, guard],
    [
      ['if (first.method.ambient) {', 'if (false) {', 'a cookie comes without an origin'],
      ["if (origin === undefined) return refuse('origin-missing')", '', 'a cookie comes without an origin'],
      [
        "if (listHeader(handshake, 'sec-fetch-site').includes('cross-site')) return refuse('fetch-metadata')",
        '',
        'a cookie comes from another site, as the browser itself says',
      ],
    ],
  ),
  ...of(
    'guard/decision.ts',
    [refusals],
    [
      [
        "if (isLimited && !known && !attempts.spend(address)) return refuse('attempts')",
        '',
        'an address may guess for ever',
      ],
    ],
  ),
  ...of(
    'guard/decision.ts',
    [firstMessages, guard],
    [['attempts.fail(address, hash(credential))', '', 'nobody counts the guesses']],
  ),
  ...of(
    'guard/decision.ts',
    [neighbours],
    [
      [
        'const known = isLimited ? recall?.() : undefined',
        'const known = undefined',
        'a flood takes what good credentials behind its address need',
      ],
      [
        "'verify' in presented.method ? () => this.#recall(presented) : verify",
        '() => this.#recall(presented)',
        'a flood keeps tickets out',
      ],
      [
        'return known && this.#take(known, presented, revocations.now)',
        "return known && !isRejected(known) ? { type: 'accept', method: method.name, ...known } : undefined",
        'what is remembered passes, revoked or not',
      ],
      ['if (isLimited && !known) attempts.refund(address)', '', 'good credentials take what others have left'],
    ],
  ),
  ...of(
    'guard/decision.ts',
    [firstMessages, guard],
    [["isLimited ? refuse('attempts') : ", '', 'who has guessed too often still learns what each guess was worth']],
  ),
  ...of(
    'guard/decision.ts',
    [cookies],
    [
      [
        "if (credential === '') return this.deny('credential-placeholder', handshake)",
        '',
        'a verifier is asked about an emptied cookie',
      ],
    ],
  ),
  ...of(
    'guard/decision.ts',
    [guard],
    [['if (isRejected(verified)) return verified\n    return', 'return', 'a bad credential is a bug']],
  ),
  ...of(
    'guard/decision.ts',
    [bounds, lifetimes],
    [['expiresAt - issuedAt <= memory) return', 'expiresAt) return', 'a credential outlives its revocation']],
  ),
  ...of(
    'guard/decision.ts',
    [lifetimes],
    [
      [
        'if (lookedUpAt !== undefined || issuedAt === undefined ||',
        'if (issuedAt === undefined ||',
        'a session of a month is refused',
      ],
      [
        'expiresAt = Number.POSITIVE_INFINITY, lookedUpAt',
        'expiresAt = issuedAt ?? 0, lookedUpAt',
        'a credential without an end outlives its revocation',
      ],
    ],
  ),
  ...of(
    'guard/decision.ts',
    ['threats/i-nodes.test.ts'],
    [
      [
        'if (firstSeenAt === undefined) return askedAt',
        'if (firstSeenAt === undefined) return revocations.now',
        'a session that was revoked while it was looked up',
      ],
    ],
  ),
  ...of(
    'guard/decision.ts',
    [lifetimes],
    [
      ['firstSeenAt = lookedUpAt }', 'firstSeenAt }', 'a remembered answer is vouched for now'],
      [
        'return Math.min(askedAt, revocations.now - (settings.clock.now() - firstSeenAt))',
        'return askedAt',
        'a token that was seen before a revocation is of after it',
      ],
      [
        'this.#accept(ticket, presented, ticket.vouchedAt)',
        'this.#accept(ticket, presented, revocations.now)',
        'a ticket of before a revocation is of after it',
      ],
    ],
  ),
  ...of(
    'guard/decision.ts',
    ['unit/connections/connections.test.ts', tickets],
    [
      [
        "isRevoked(accept) ? rejected('credential-revoked') : accept",
        'accept',
        'a revoked credential opens a connection',
      ],
    ],
  ),
  ...of(
    'guard/decision.ts',
    [answers],
    [
      [
        'const verified = checkedAnswer(answer)',
        'const verified = answer',
        'a verifier is believed whatever it answers',
      ],
    ],
  ),
  ...of(
    'support/within.ts',
    [answers],
    [
      [
        'Promise.resolve(promise).then(',
        'promise.then(',
        'a verifier whose answer has to be waited for twice is waited for without end',
      ],
    ],
  ),
  ...of(
    'support/within.ts',
    ['unit/verifiers/in-time.test.ts', 'unit/stores/redis/commands.test.ts'],
    [['        cancel()\n', '', 'a timer is left behind by every question']],
  ),
]
