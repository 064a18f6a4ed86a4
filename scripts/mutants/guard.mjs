// The guard: what it is asked for, and what it tells.
import { mutantsOf } from '../mutants-of.mjs'

const guard = 'unit/guard/guard.test.ts'
const routes = 'unit/routes.test.ts'
const logout = 'threats/f-logout-token.test.ts'
const refusals = 'unit/guard/refusals.test.ts'
const tickets = 'threats/c-tickets.test.ts'
const limit = 'threats/f-registry.test.ts'
const outage = 'threats/i-cut-off.test.ts'
const details = 'threats/b-detail.test.ts'
const answers = 'threats/b-answers.test.ts'
const neighbours = 'threats/g-neighbours.test.ts'
const of = mutantsOf()

export default [
  ...of(
    'guard/create-guard.ts',
    [details],
    [
      ['detail: printable(detail, maxDetail)', 'detail', 'what a stranger wrote into a token is written into the log'],
      [
        "typeof detail === 'string' &&",
        'detail !== undefined &&',
        'a detail that is no text ends in an error instead of a refusal',
      ],
    ],
  ),
  ...of(
    'support/printable.ts',
    [details],
    [['.replace(unprintable, escaped)', '', 'a claim breaks the line of the log']],
  ),
  ...of(
    'guard/create-guard.ts',
    [refusals],
    [
      [
        "pending.enter(addressOf(handshake)) ?? report(refuse('pending'), handshake)",
        'pending.enter(addressOf(handshake)) ?? { wait() {}, leave() {} }',
        'a socket for which there is no place comes in',
      ],
      ["if (connections.isDraining) return refuse('draining')", '', 'a draining node takes new sockets'],
    ],
  ),
  ...of(
    'guard/create-guard.ts',
    [guard, 'threats/a-request.test.ts'],
    [['isOpen ? undefined : checkUpgrade(handshake)', 'undefined', 'a handshake may break RFC 6455']],
  ),
  ...of(
    'guard/create-guard.ts',
    [refusals],
    [
      [
        "if (mayHideHeaders(request)) return report(refuse('handshake-headers'), request)",
        '',
        'a route reads a request whose headers may be missing',
      ],
    ],
  ),
  ...of(
    'guard/create-guard.ts',
    [guard, routes],
    [
      [
        "if (verdict.type === 'refuse') return report(verdict, request)\n",
        "if (verdict.type === 'refuse') return verdict\n",
        'a route forgets why it refuses',
      ],
      [
        "if (verdict.type === 'await') return finish('credential-absent')",
        "if (verdict.type === 'await') throw new Error()",
        'a route acts for a caller who is to wait',
        'Equivalent: no verdict at a route is to wait, and a refusal has been answered one line before.',
      ],
    ],
  ),
  ...of(
    'guard/create-guard.ts',
    [tickets],
    [['methods.filter(({ http }) => http)', 'methods', 'a ticket, or what stands in a query, is good at the routes']],
  ),
  ...of(
    'guard/create-guard.ts',
    ['threats/d-proxied.test.ts'],
    [
      [
        'fetched: true',
        'fetched: false',
        'a page of the host itself that is not listed calls the routes with an Authorization header',
      ],
    ],
  ),
  ...of(
    'guard/create-guard.ts',
    [guard, routes],
    [["if (!tickets) return 'path-unknown'", '', 'a guard without tickets tries to issue one']],
  ),
  ...of(
    'guard/create-guard.ts',
    ['unit/tickets.test.ts', tickets],
    [
      [
        "if (!issued) return 'ticket-limit'",
        "if (!issued) return { ticket: '', expiresIn: 0 }",
        'who holds too many tickets is told that there is one more',
      ],
    ],
  ),
  ...of(
    'guard/create-guard.ts',
    [refusals],
    [["if ('reason' in verified) return report(verified, request)", '', 'a refused logout token is no event']],
  ),
  ...of(
    'guard/create-guard.ts',
    [logout],
    [
      ['await connections.logOut(verified)', 'void 0', 'a logout that the other nodes do not know of is answered 200'],
      [
        'return verified\n    } catch (error) {\n      return report(decision.failure(error, request), request)',
        'return verified\n    } catch {\n      return verified',
        'a logout that the other nodes do not know of is answered 200',
      ],
    ],
  ),
  ...of(
    'guard/create-guard.ts',
    ['threats/a-admit.test.ts'],
    [
      [
        'admit ? await ask(admit, accept, handshake) : accept',
        'accept as Accept<I> | Refuse',
        'who may not connect does',
      ],
      ['return admitted === true ? accept :', 'return admitted ? accept :', 'a no is taken for a yes'],
    ],
  ),
  ...of(
    'verifiers/admit.ts',
    ['threats/a-admit.test.ts'],
    [
      [
        'if (answer === true) return true',
        'if (answer !== false) return true',
        'an answer that was forgotten lets anybody in',
      ],
      [
        'return within(answer, verifyTimeout, clock, late).then(checkedAdmission)',
        'return Promise.resolve(answer).then(checkedAdmission)',
        'an application that never answers keeps sockets for ever',
      ],
    ],
  ),
  ...of(
    'connections/undecided.ts',
    ['threats/a-admit.test.ts'],
    [
      [
        'decide({ ...handshake, message }, admit)',
        'decide({ ...handshake, message }, undefined)',
        'who may not connect does, by first message',
      ],
    ],
  ),
  ...of(
    'routes.ts',
    ['unit/adapters/paths.test.ts', 'unit/routes.test.ts'],
    [
      [
        "find((path) => path !== '' && readPath(path))",
        "find((path) => path !== '')",
        'tickets for paths that are none of the route',
      ],
    ],
  ),
  ...of(
    'guard/create-guard.ts',
    [limit],
    [
      [
        "verdict.type === 'accept' && connectionLimit ? takePlace(verdict, handshake) : verdict",
        'verdict',
        'any number of connections',
      ],
      [
        "(await connections.takePlace(accept)) ?? decision.deny('connection-limit', handshake)",
        '(await connections.takePlace(accept)) ?? accept',
        'a connection for which there is no place',
      ],
    ],
  ),
  ...of(
    'guard/create-guard.ts',
    [limit, outage],
    [
      [
        "decision.deny('connection-limit', handshake)\n    } catch (error) {\n      return decision.failure(error, handshake)",
        "decision.deny('connection-limit', handshake)\n    } catch {\n      return accept",
        'any number of connections while the store is out of reach',
      ],
    ],
  ),
  ...of(
    'guard/create-guard.ts',
    [limit, 'unit/connections/connection-life.test.ts'],
    [['events, decide, verify })', 'events, decide, verify: decide })', 'a renewal takes a place of its own']],
  ),
  ...of(
    'methods.ts',
    [neighbours],
    [['known && onlyShortLived(known)', 'known', 'a long-lived token passes by query when it is remembered']],
  ),
  ...of(
    'guard/create-guard.ts',
    [answers],
    [
      [
        '        checkedLogout,\n',
        '        (answer) => answer,\n',
        'a logout verifier is believed whatever it answers',
      ],
    ],
  ),
  ...of(
    'guard/create-guard.ts',
    ['threats/f-logout-token.test.ts'],
    [
      [
        'verifyInTime((text, { now }) => verify(text, now), token, terms)',
        'verify(token, terms.clock.now())',
        'a logout verifier that never answers keeps a place among the undecided for ever',
      ],
    ],
  ),
  ...of(
    'methods.ts',
    [answers],
    [
      [
        'const verification = checkedAnswer(answer)',
        'const verification = answer',
        'what a verifier answers by mistake stands in an error',
      ],
    ],
  ),
  ...of(
    'verifiers/answer.ts',
    [answers],
    [
      [
        'return { identity, subject, expiresAt, issuedAt, lookedUpAt, firstSeenAt, session, token }',
        'return answer',
        'a time is believed that nobody has looked at',
      ],
    ],
  ),
]
