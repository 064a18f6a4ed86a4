// The logins that people have.
import { mutantsOf } from '../mutants-of.mjs'

const of = mutantsOf('verifiers/')

export default [
  ...of(
    'logins/stored-session.ts',
    ['logins/express-session.test.ts'],
    [
      [
        'expected.length === given.length && timingSafeEqual(expected, given)',
        'true',
        'whoever writes an id of a session',
      ],
      ['value.startsWith(prefix) ?', 'true ?', 'other spellings of a cookie'],
      ["error && !hasCode(error, 'ENOENT')", 'false', 'a store that is down is a bad session'],
      ['new Date(cookie.expires).getTime()', 'undefined', 'a session that never ends'],
      ['session: hash(id)', 'session: hash(value)', 'a sign-out by the id of the session ends nothing'],
      ['written <= now && ', '', 'a session that ends later than was written'],
      ['? now + age : written', '? written : written', 'a session that the store still has is over'],
    ],
  ),
  ...of(
    'logins/stored-session.ts',
    ['logins/fastify-session.test.ts'],
    [['options, identify, endOf)', 'options, identify, endOfKept)', 'a session that no store drops never ends']],
  ),
  ...of(
    'logins/better-auth.ts',
    ['logins/better-auth.test.ts'],
    [
      ['disableRefresh: true', 'disableRefresh: false', 'a socket prolongs a session whose cookie is not'],
      ['encodeURIComponent(value)', 'value', 'a cookie that brings another'],
      ['expiresAt: end', 'expiresAt: undefined', 'a session that never ends'],
    ],
  ),
  ...of(
    'logins/iron-session.ts',
    ['logins/iron-session.test.ts'],
    [['oneSpelling.test(value)', 'true', 'a revoked session in another spelling']],
  ),
  ...of(
    'logins/auth-js.ts',
    ['logins/auth-js.test.ts'],
    [['session: jti, token: jti', "session: Math.random() + ''", 'a revoked session in another spelling']],
  ),
  ...of(
    'logins/node-middleware.ts',
    ['logins/passport.test.ts'],
    [
      ['resolve(false)', 'resolve(true)', 'whom middleware turned away'],
      ['!error || isRefusal(error)', 'true', 'a store that is down is a bad cookie'],
      ['resolve(!error)', 'resolve(true)', 'whom middleware found no user for'],
      ["handshake.target.replace(/\\?.*$/s, '')", 'handshake.target', 'what stands in the URL is told to middleware'],
      ['encodeURIComponent(value)', 'value', 'a cookie that brings another'],
    ],
  ),
]
