// Handshakes and origins: what is read of a request.
import { mutantsOf } from '../mutants-of.mjs'

const origins = 'threats/d-origin.test.ts'
const proxied = 'threats/d-proxied.test.ts'
const policies = 'threats/d-policy.test.ts'
const routes = 'unit/routes.test.ts'
const upgrade = 'unit/handshake/upgrade.test.ts'
const of = mutantsOf()

export default [
  ...of(
    'handshake/path.ts',
    ['unit/handshake/path.test.ts'],
    [
      [
        "if (decoded === undefined || decoded === '') return undefined",
        '',
        'a parameter that is empty or cannot be read',
      ],
      ['if (values.length !== segments.length) return undefined', '', 'a path behind the path'],
      ['if (name === undefined && value !== segments[i]) return undefined', '', 'a path that is of somebody else'],
      ["if (typeof value !== 'string') throw", 'if (false) throw', 'a parameter that is no string'],
    ],
  ),
  ...of(
    'guard/origin-check.ts',
    [origins],
    [["allowed ? undefined : refuse('origin-not-allowed')", 'undefined', 'a foreign page connects']],
  ),
  ...of(
    'guard/origin-check.ts',
    [proxied],
    [
      [
        '(isOwn || origin === undefined) && !isOfBrowser(handshake, origin)',
        '!isOfBrowser(handshake, origin)',
        'a foreign page connects by a header that its proxy has made of a cookie',
      ],
      [
        '(isOwn || origin === undefined) && !isOfBrowser(handshake, origin)',
        'isOwn || origin === undefined',
        'a browser passes for a program',
      ],
      [
        "if (origin === undefined) return refuse('origin-missing')",
        'if (origin === undefined) return undefined',
        'a browser whose origin was taken away passes for a program',
      ],
      [
        "isOwn ? undefined : refuse('origin-not-allowed')",
        'undefined',
        'a foreign page connects where no origin is listed',
      ],
      [
        "(origin !== undefined || name !== 'sec-fetch-mode')",
        "name !== 'sec-fetch-mode'",
        'Sec-Fetch-Mode beside an origin counts for nothing',
      ],
    ],
  ),
  ...of(
    'guard/origin-check.ts',
    [policies],
    [
      ['checked.catch(failed)', 'checked.catch(() => undefined)', 'a policy that fails lets everybody in'],
      ['return failed(error)', 'return undefined', 'a policy that throws lets everybody in'],
    ],
  ),
  ...[
    ['if (mayHideHeaders(handshake))', 'if (false)', 'a header that decides something may have been dropped'],
    ['if (once.some(', 'if (false && once.some(', 'a header that a carrier reads comes twice'],
    ["if (httpVersion !== '1.1')", 'if (false)', 'another version of HTTP'],
    ['if (!readTarget(target))', 'if (false)', 'a path with a second spelling'],
    ["if (!hostSyntax.test(textOf(handshake, 'host')))", 'if (false)', 'a Host that is none'],
    ['!isEmpty ||', '', 'a body behind the handshake'],
    ["|| singleHeader(handshake, 'transfer-encoding') !== undefined", '', 'a chunked body behind the handshake'],
    ["if (method !== 'GET')", 'if (false)', 'another method'],
    [
      "if (trimmed(textOf(handshake, 'upgrade')).toLowerCase() !== 'websocket')",
      'if (false)',
      'an upgrade to something else',
    ],
    ["return listHeader(handshake, 'connection').includes('upgrade')", 'return true', 'a Connection without upgrade'],
    ["if (singleHeader(handshake, 'sec-websocket-version') !== '13')", 'if (false)', 'another version of WebSocket'],
    ["if (!keySyntax.test(textOf(handshake, 'sec-websocket-key')))", 'if (false)', 'a key that is none'],
    ['if (!offeredSubprotocols(handshake))', 'if (false)', 'a list of subprotocols that is none'],
    ["mode === undefined || mode === 'websocket' ?", 'true ?', 'a fetch that opens a WebSocket'],
    [
      "trimmed(textOf(handshake, 'upgrade')).toLowerCase() !== 'websocket'",
      "!trimmed(textOf(handshake, 'upgrade')).toLowerCase().startsWith('websocket')",
      'an upgrade to several things',
    ],
  ].map(([find, replace, why]) => ({ file: 'handshake/upgrade.ts', find, replace, tests: [upgrade], why })),
  ...[
    ['if (origins.length === 0)', 'if (false)', 'a list without origins'],
    ['if (!canonical) throw', 'if (false) throw', 'a list with what is no origin'],
    ['if (wildcard) checkWildcard(origin, wildcard)', '', 'a wildcard that trusts a whole top-level domain'],
    [', { allowPrivateDomains: true }', '', 'a wildcard that trusts all customers of a hosting company'],
    ['if (openSchemes.test(scheme))', 'if (false)', 'a wildcard that trusts the whole web'],
    ["(host === '' || host === '.')", "host === ''", 'a web origin of a dot'],
    ['defaultPorts.has(scheme) && canonicalOrigin(`', 'canonicalOrigin(`', 'an application passes for the host'],
    ['=== canonical\n}', '!== undefined\n}', 'any origin passes for the host'],
    ['allowed === true', 'Boolean(allowed)', 'whatever a policy answers allows'],
    ['within(asked, verifyTimeout, clock, late)', 'asked', 'a policy holds a handshake for ever'],
    ['if (known !== undefined) return known', '', 'a policy is asked again for the same request'],
    [
      'canonical === undefined) return false\n    return exact',
      'canonical === undefined) return true\n    return exact',
      'what is no origin',
    ],
    [
      'canonical === undefined) return false\n    const known',
      'canonical === undefined) return true\n    const known',
      'what is no origin, and no policy is asked',
    ],
    ['wildcards.has(withoutFirstLabel(canonical))', 'true', 'any origin where there is a wildcard'],
    ['/^[\\x21-\\x7e]*$/.test(origin) &&', '', 'a letter that is only ASCII in lower case'],
    [
      "if (defaultPorts.has(scheme) && (host === '' || host === '.')) return undefined",
      '',
      'a web origin without a host',
    ],
  ].map(([find, replace, why]) => ({
    file: 'handshake/origin.ts',
    find,
    replace,
    tests: ['unit/handshake/origin.test.ts', origins, policies, proxied],
    why,
  })),
  ...[
    ["typeof originalUrl === 'string' ? originalUrl : url", 'url', 'a path that a framework has cut'],
    ["isSingle.has(name) && value.includes(', ')", 'false', 'the two of a header as one'],
    ['headers.length > maxHeaders', 'false', 'more headers than Node.js tells'],
    ['if (value !== undefined) return repeated', '', 'the last of two headers'],
    ['!pathSyntax.test(path) ||', '', 'a path of any characters'],
    ['|| notCanonical.test(path)', '', 'a path with a second spelling'],
  ].map(([find, replace, why]) => ({
    file: 'handshake/request.ts',
    find,
    replace,
    tests: ['unit/handshake/request.test.ts', upgrade, routes, 'threats/a-bodies.test.ts'],
    why,
  })),
]
