// How credentials travel, and the methods.
const unit = 'unit/carriers.test.ts'
const contract = 'contract/carriers.test.ts'
const a = 'threats/a-credentials.test.ts'
const guard = 'unit/guard/guard.test.ts'

export default [
  ...[
    ['cookie.ts', '|| parts.has(part.suffix)', '', 'the last of two cookies'],
    ['cookie.ts', '|| (base ?? part.base) !== part.base', '', 'one of two cookies that a pattern matches'],
    ['cookie.ts', 'isJoined ||', '', 'a cookie out of lines that were joined'],
    ['cookie.ts', '`^(?:${source})$`', 'source', 'a cookie whose name only holds the pattern'],
    ['cookie.ts', 'chunks.length > 0 ? malformed : found(head)', 'found(head)', 'a whole cookie beside chunks'],
    [
      'cookie.ts',
      'if (count !== undefined && chunks.length !== Number(count)) return malformed',
      '',
      'chunks of which some are missing',
    ],
    ['cookie.ts', 'if (value === undefined) return malformed', 'if (value === undefined) break', 'chunks with a hole'],
    [
      'header.ts',
      'value === repeated ? malformed : presented(bearer.exec(value)?.[1])',
      "presented(bearer.exec(value === repeated ? 'Bearer x' : value)?.[1])",
      'one of two Authorization headers',
    ],
    [
      'header.ts',
      'presented(bearer.exec(value)?.[1])',
      "presented(bearer.exec(value)?.[1] ?? 'x')",
      'another scheme of Authorization',
    ],
    ['query.ts', 'another !== undefined || ', '', 'the first of two parameters'],
    ['query.ts', 'if (/[+#]/.test(value)) return undefined', '', 'a plus that others read as a space'],
    ['carrier.ts', '/^[\\x21-\\x7e]+$/.test(text)', 'text', 'a credential with spaces, controls or other letters'],
    ['query.ts', "`, 'gi')", "`, 'g')", 'a parameter whose name another server reads as ours: Ticket'],
    ['query.ts', '[[=&]|%5b|$', '[=&]|%5b|$', 'a parameter whose name another server reads as ours: ticket[]'],
    ['query.ts', '|%5b|$', '|$', 'a parameter whose name another server reads as ours: ticket%5B%5D'],
    ['query.ts', '|${escaped(char)}|', '|', 'a parameter whose name is escaped'],
    ['query.ts', '|${escaped(char.toUpperCase())}', '', 'a parameter whose name is escaped: %54icket'],
    [
      'subprotocol.ts',
      'if (!offered) return malformed',
      'if (!offered) return absent',
      'nothing out of a list that is none',
    ],
    ['subprotocol.ts', 'bearers.length > 1 ||', '', 'one of two credentials'],
    ['subprotocol.ts', '|| offered.length === 1', '', 'a credential alone'],
    [
      'subprotocol.ts',
      'presented(decodeBearer(bearer))',
      "presented(decodeBearer(bearer) ?? 'x')",
      'a credential that is not base64url',
    ],
  ].map(([file, find, replace, why]) => ({
    file: `carriers/${file}`,
    find,
    replace,
    tests: [unit, contract, 'threats/d-cookie-forms.test.ts'],
    why: `it reads ${why}`,
  })),
  {
    file: 'carriers/query.ts',
    find: 'spelledLike(...names)\n  return',
    replace: "spelledLike('ticket')\n  return",
    tests: ['threats/a-parameters.test.ts', unit],
    why: 'the application is given a credential',
  },
  ...[
    [
      'ticket?.parameter ?? defaultParameters.ticket, query?.parameter ?? defaultParameters.query',
      'defaultParameters.ticket, defaultParameters.query',
      'the application is given a credential that came by a name of its own',
    ],
    [
      'ticket && ticket.parameter?.toLowerCase() === query?.parameter?.toLowerCase()',
      'false',
      'two methods read one parameter',
    ],
  ].map(([find, replace, why]) => ({
    file: 'guard/options.ts',
    find,
    replace,
    tests: ['threats/a-parameters.test.ts'],
    why,
  })),
  {
    file: 'carriers/subprotocol.ts',
    find: 'if (allowed.length === 0) return undefined',
    replace: '',
    tests: [unit, a],
    why: 'subprotocols are read for nothing',
    survives: 'Equivalent: none is in an empty list. It saves the reading.',
  },
  {
    file: 'carriers/subprotocol.ts',
    find: 'offeredSubprotocols(handshake)?.find',
    replace: 'offeredSubprotocols({ ...handshake, headers: handshake.headers.slice(0, 6) })?.find',
    tests: [unit, guard],
    why: 'a subprotocol of the second line is never selected',
  },
  {
    file: 'carriers/subprotocol.ts',
    find: 'allowed.includes(offered) &&',
    replace: '',
    tests: [unit, guard],
    why: 'any subprotocol is selected',
  },
  {
    file: 'carriers/subprotocol.ts',
    find: '&& !isBearer(offered)',
    replace: '',
    tests: [unit, a, guard],
    why: 'a credential is selected as the subprotocol',
  },
  {
    file: 'methods.ts',
    find: 'if (lifetime <= maxQueryLifetime) return verification',
    replace: 'return verification',
    tests: [guard],
    why: 'a token that lives for a day stands in a URL',
  },
  {
    file: 'methods.ts',
    find: 'issuedAt = Number.NEGATIVE_INFINITY',
    replace: 'issuedAt = context.now',
    tests: ['unit/bounds.test.ts'],
    why: 'a token that does not say when it was issued stands in a URL',
  },
  {
    file: 'methods.ts',
    find: 'expiresAt = Number.POSITIVE_INFINITY }',
    replace: 'expiresAt = context.now }',
    tests: [guard],
    why: 'a token without an end stands in a URL',
  },
]
