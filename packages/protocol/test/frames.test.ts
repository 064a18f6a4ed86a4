import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeFrame, readAuthFrame, readServerFrame, type ServerFrame } from '../src/index.js'

const anyText = fc.string({ unit: 'binary' })
const token = fc.string({ unit: 'binary', minLength: 1 })
const nonce = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url'))

const pieces = fc
  .array(
    fc.constantFrom(
      ...['{', '}', '[', ']', ',', ':', '"type"', '"auth"', '"auth_ok"', '"auth_expiring"', '"token"', '"userId"'],
      ...['"expiresIn"', '"x"', '1', '-1', '1e999', 'null', '\\', '"', ' '],
    ),
  )
  .map((parts) => parts.join(''))

describe('readAuthFrame', () => {
  it('reads what encodeFrame wrote, whatever the token', () => {
    fc.assert(
      fc.property(token, (token) => {
        expect(readAuthFrame(encodeFrame({ type: 'auth', token }))).toEqual({ type: 'auth', token })
      }),
    )
  })

  it('reads a nonce beside it, wherever it stands', () => {
    fc.assert(
      fc.property(token, nonce, fc.shuffledSubarray(['type', 'token', 'nonce'], { minLength: 3 }), (...given) => {
        const [token, nonce, keys] = given
        const frame: Record<string, string> = { type: 'auth', token, nonce }
        const text = JSON.stringify(Object.fromEntries(keys.map((key) => [key, frame[key]])))
        expect(readAuthFrame(text)).toEqual(frame)
      }),
    )
  })

  it('reads the frame in either order and with white space', () => {
    fc.assert(
      fc.property(token, fc.constantFrom('', ' ', '\n', '\t\r\n '), fc.boolean(), (token, space, swap) => {
        const members = [`"type"${space}:${space}"auth"`, `"token"${space}:${space}${JSON.stringify(token)}`]
        const text = `${space}{${space}${(swap ? members.reverse() : members).join(`${space},${space}`)}${space}}${space}`
        expect(readAuthFrame(text)).toEqual({ type: 'auth', token })
      }),
    )
  })

  it.each([
    '{"type":"auth"}',
    '{"type":"auth","token":""}',
    '{"type":"auth","token":null}',
    '{"type":"auth","token":7}',
    '{"type":"auth","token":["x"]}',
    '{"type":"auth","token":{"toString":"x"}}',
    '{"type":"auth","token":"x","extra":1}',
    '{"type":"auth","token":"x","__proto__":{}}',
    '{"type":"auth","Token":"x"}',
    '{"type":"auth","token":"x","token":"y"}',
    '{"type":"auth","token":"x","token":"x"}',
    '{"type":"auth","token":1,"token":"x"}',
    '{"type":"auth","token":"x","token":1}',
    '{"type":"auth","token":"x","to\\u006ben":"y"}',
    '{"type":"auth","type":"auth","token":"x"}',
    '{"type":1,"type":"auth","token":"x"}',
    '{"type":{"token":"x"},"type":"auth","token":"x"}',
    '{"type":"auth","token":"\\"","token":"x"}',
    ...[
      '""',
      '"x"',
      '"AAAAAAAAAAAAAAAAAAAAAAA"',
      '"AAAAAAAAAAAAAAAAAAAAA="',
      '"AAAAAAAAAAAAAAAAAAAAA "',
      '7',
      'null',
      '[]',
    ].map((nonce) => `{"type":"auth","token":"x","nonce":${nonce}}`),
    '{"type":"auth","nonce":"AAAAAAAAAAAAAAAAAAAAAA"}',
    '{"type":"auth","token":"x","nonce":"AAAAAAAAAAAAAAAAAAAAAA","extra":1}',
    '{"type":"auth","token":"x","nonce":"AAAAAAAAAAAAAAAAAAAAAA","nonce":"AAAAAAAAAAAAAAAAAAAAAA"}',
    '{"type":"auth","token":"x","nonce":1,"nonce":"AAAAAAAAAAAAAAAAAAAAAA"}',
    '{"type":"auth","token":"x","Nonce":"AAAAAAAAAAAAAAAAAAAAAA"}',
  ])('calls %s malformed', (text) => {
    expect(readAuthFrame(text)).toBe('malformed')
  })

  it('calls a frame with one more member malformed, wherever it stands', () => {
    const member = fc
      .tuple(anyText, fc.jsonValue())
      .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
    fc.assert(
      fc.property(token, member, fc.nat(2), (token, member, at) => {
        const members = ['"type":"auth"', `"token":${JSON.stringify(token)}`]
        const text = `{${members.toSpliced(at, 0, member).join(',')}}`
        // Behind ours, a member named `type` makes it another message.
        fc.pre(JSON.parse(text).type === 'auth')
        expect(readAuthFrame(text)).toBe('malformed')
      }),
    )
  })

  it.each([
    '',
    'null',
    'true',
    '7',
    '"auth"',
    '[]',
    '["auth"]',
    '{}',
    '{"type":"Auth","token":"x"}',
    '{"type":"\\u0061uth","token":"x"}',
    '{"type":["auth"],"token":"x"}',
    '{"type":"auth","type":"chat","token":"x"}',
    '{"__proto__":{"type":"auth","token":"x"}}',
    '[{"type":"auth","token":"x"}]',
    '{"type":"auth","token":"x"',
    '{"type":"auth","token":"x"}}',
    '\ufeff{"type":"auth","token":"x"}',
    "{'type':'auth','token':'x'}",
  ])('leaves %s to the application', (text) => {
    expect(readAuthFrame(text)).toBeUndefined()
  })

  it('leaves a message nested a hundred thousand deep to the application', () => {
    expect(readAuthFrame('['.repeat(100_000))).toBeUndefined()
    expect(readAuthFrame(`{"type":"auth","token":"x","deep":${'['.repeat(5_000)}${']'.repeat(5_000)}}`)).toBe(
      'malformed',
    )
  })

  it('never throws, and never reads a token that is not in the text', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.json(), pieces), (text) => {
        const frame = readAuthFrame(text)
        if (typeof frame === 'object') expect(JSON.parse(text)).toEqual(frame)
        else expect([undefined, 'malformed']).toContain(frame)
      }),
    )
  })

  // A connection may take messages of up to 100 MiB, the default of ws.
  it.each(['a', '\\"'])('reads a token of 20 MB of %s', (piece) => {
    const text = `{"type":"auth","token":"${piece.repeat(20_000_000 / piece.length)}"}`
    expect(readAuthFrame(text)).toBeTypeOf('object')
  })
})

describe('readServerFrame', () => {
  const seconds = fc.double({ min: 0, noDefaultInfinity: true, noNaN: true }).map((value) => (value === 0 ? 0 : value))
  const serverFrame: fc.Arbitrary<ServerFrame> = fc.oneof(
    fc.record(
      { type: fc.constant('auth_ok' as const), userId: anyText, connection: anyText, expiresIn: seconds, nonce },
      { requiredKeys: ['type', 'userId', 'connection'] },
    ),
    fc.record({ type: fc.constant('auth_fail' as const), nonce }, { requiredKeys: ['type'] }),
    fc.record(
      { type: fc.constant('auth_expiring' as const), expiresIn: seconds, nonce },
      { requiredKeys: ['type', 'expiresIn'] },
    ),
  )

  it('reads what encodeFrame wrote', () => {
    fc.assert(
      fc.property(serverFrame, (frame) => {
        expect(readServerFrame(encodeFrame(frame))).toEqual(frame)
      }),
    )
  })

  it('passes over what a newer server says beside it', () => {
    fc.assert(
      fc.property(serverFrame, fc.dictionary(anyText, fc.jsonValue()), (frame, more) => {
        fc.pre(!('expiresIn' in more) && !('nonce' in more))
        expect(readServerFrame(JSON.stringify({ ...more, ...frame }))).toEqual(frame)
      }),
    )
  })

  it.each([
    ['{"type":"auth_ok"}', 'no user'],
    ['{"type":"auth_ok","userId":7}', 'a user that is no text'],
    ['{"type":"auth_expiring"}', 'no time'],
    ['{"type":"auth_expiring","expiresIn":-1}', 'a time past'],
    ['{"type":"auth_expiring","expiresIn":"5"}', 'a time that is no number'],
    ['{"type":"auth_expiring","expiresIn":1e999}', 'a time without end, which a timer takes for now'],
    ['{"type":"auth","token":"x"}', 'a frame of the client'],
    ['{"type":"AUTH_OK","userId":"ada"}', 'another spelling'],
    ['{"type":["auth_fail"]}', 'a type that is no text'],
    ['{"__proto__":{"type":"auth_fail"}}', 'a prototype'],
    ['[{"type":"auth_fail"}]', 'an array'],
    ['null', 'null'],
    ['', 'nothing'],
    ['{"type":"auth_fail"', 'half a frame'],
  ])('leaves %s to the application: %s', (text) => {
    expect(readServerFrame(text)).toBeUndefined()
  })

  it('accepts without an end rather than with a broken one', () => {
    const ok = { type: 'auth_ok', userId: 'ada', connection: 'c1' }
    expect(readServerFrame(JSON.stringify({ ...ok, expiresIn: 60 }))).toEqual({ ...ok, expiresIn: 60 })
    for (const broken of ['-1', '"60"', 'null', '1e999']) {
      const text = `{"type":"auth_ok","userId":"ada","connection":"c1","expiresIn":${broken}}`
      expect(readServerFrame(text)).toEqual(ok)
    }
  })

  it('never throws, and answers only finite times', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.json(), pieces), (text) => {
        const frame = readServerFrame(text)
        if (frame && 'expiresIn' in frame) expect(Number.isFinite(frame.expiresIn)).toBe(true)
      }),
    )
  })
})
