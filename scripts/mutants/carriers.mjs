// How credentials travel, and the methods.
const unit = 'unit/carriers.test.ts'
const contract = 'contract/carriers.test.ts'
const a = 'threats/a-credentials.test.ts'
const guard = 'unit/guard/guard.test.ts'

export default [
  ...[
    ['cookie.ts', 'if (reading !== absent) return malformed', '', 'the last of two cookies'],
    [
      'header.ts',
      'value === repeated ? undefined : bearer.exec(value)?.[1]',
      "bearer.exec(value === repeated ? 'Bearer x' : value)?.[1]",
      'one of two Authorization headers',
    ],
    [
      'header.ts',
      'credential === undefined ? malformed : found(credential)',
      "found(credential ?? '')",
      'another scheme of Authorization',
    ],
    [
      'query.ts',
      'another === undefined && b64token.test(value)',
      'b64token.test(value)',
      'the first of two parameters',
    ],
    ['query.ts', "`, 'gi')", "`, 'g')", 'a parameter whose name another server reads as ours: Ticket'],
    ['query.ts', '[[=&]|%5b|$', '[=&]|%5b|$', 'a parameter whose name another server reads as ours: ticket[]'],
    ['query.ts', '|%5b|$', '|$', 'a parameter whose name another server reads as ours: ticket%5B%5D'],
    ['query.ts', '|${escaped(char)}|', '|', 'a parameter whose name is escaped'],
    ['query.ts', '|${escaped(char.toUpperCase())}', '', 'a parameter whose name is escaped: %54icket'],
    [
      'subprotocol.ts',
      'value === repeated ? undefined : readSubprotocols(value)\n  if (!offered)',
      "readSubprotocols(value === repeated ? 'a, b' : value)\n  if (!offered)",
      'one of two lists of subprotocols',
    ],
    ['subprotocol.ts', 'bearers.length > 1 ||', '', 'one of two credentials'],
    ['subprotocol.ts', '|| offered.length === 1', '', 'a credential alone'],
    [
      'subprotocol.ts',
      'credential === undefined ? malformed : found(credential)',
      "found(credential ?? '')",
      'a credential that is not base64url',
    ],
  ].map(([file, find, replace, why]) => ({
    file: `carriers/${file}`,
    find,
    replace,
    tests: [unit, contract],
    why: `it reads ${why}`,
  })),
  {
    file: 'carriers/query.ts',
    find: "spelledLike('ticket', 'token')",
    replace: "spelledLike('ticket')",
    tests: ['unit/connections/connections.test.ts', unit],
    why: 'the application is given a credential',
  },
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
    find: 'value === undefined || value === repeated) return undefined',
    replace: 'value === undefined) return undefined',
    tests: [unit, guard],
    why: 'a subprotocol is selected out of one of two lists',
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
