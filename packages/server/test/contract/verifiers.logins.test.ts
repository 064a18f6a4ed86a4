import { createHmac } from 'node:crypto'
import { decode, encode } from '@auth/core/jwt'
import { MemoryStore as FastifyStore } from '@fastify/session'
import { sealed } from '@sallyport/server'
import { jwt, oidc } from '@sallyport/server/jwt'
import {
  authJs,
  betterAuth,
  expressSession,
  fastifySession,
  ironSession,
  nodeMiddleware,
  supabase,
} from '@sallyport/server/logins'
import { betterAuth as createAuth } from 'better-auth'
import { type MemoryDB, memoryAdapter } from 'better-auth/adapters/memory'
import session, { MemoryStore } from 'express-session'
import { sealData, unsealData } from 'iron-session'
import { startJsonServer, status } from '../support/json-server.js'
import { goodClaims, now, rules, signingPair, tokenBy } from '../support/tokens.js'
import { dependentVerifierContract, verifierContract } from './verifier.js'

const hour = 3_600_000
const pair = signingPair('ES256', 'key-1')
const secret = 'a secret of the application'
const sign = (id: string, by = secret) =>
  `${id}.${createHmac('sha256', by).update(id).digest('base64').replace(/=+$/, '')}`

/** A session as stores keep it, whose end no use moves. */
const stored = (data: object, expires = Date.now() + hour) => ({
  cookie: { originalMaxAge: null, expires: new Date(expires) },
  ...data,
})

/** What a store holds, and whether it works. */
function sessions() {
  const kept = new Map<string, object>([
    ['good', stored({ userId: 'ada' })],
    ['nobody', stored({})],
    ['expired', stored({ userId: 'ada' }, Date.now() - 1)],
  ])
  return { kept, isDown: false }
}

interface Data extends session.SessionData {
  userId: string
}

function storeOf(state: ReturnType<typeof sessions>) {
  const store = new MemoryStore()
  store.get = (id, callback) =>
    state.isDown ? callback(new Error('down')) : callback(null, state.kept.get(id) as Data | undefined)
  return store
}

const badSessions = (prefix: string) => ({
  unsigned: `${prefix}good`,
  'signed by another': prefix + sign('good', 'another secret'),
  'without a user': prefix + sign('nobody'),
  expired: prefix + sign('expired'),
  unknown: prefix + sign('unknown'),
})

const identify = (data: object) => ('userId' in data ? { id: `${data.userId}` } : undefined)

dependentVerifierContract('expressSession', async () => {
  const state = sessions()
  return {
    verify: expressSession({ store: storeOf(state), secret }, identify),
    now: Date.now(),
    good: `s:${sign('good')}`,
    id: 'ada',
    bad: badSessions('s:'),
    breakDependency: () => {
      state.isDown = true
    },
  }
})

dependentVerifierContract('fastifySession', async () => {
  const state = sessions()
  const store = new FastifyStore()
  store.get = (id, callback) =>
    state.isDown ? callback(new Error('down')) : callback(null, state.kept.get(id) as never)
  return {
    verify: fastifySession({ store, secret }, identify),
    now: Date.now(),
    good: sign('good'),
    id: 'ada',
    bad: badSessions(''),
    breakDependency: () => {
      state.isDown = true
    },
  }
})

dependentVerifierContract('nodeMiddleware', async () => {
  const state = sessions()
  const sessionOf = session({ store: storeOf(state), secret, resave: false, saveUninitialized: false })
  return {
    verify: nodeMiddleware({ cookie: 'connect.sid', use: [sessionOf] }, ({ session }) => {
      const identity = identify(session)
      return identity && { identity, expiresAt: session.cookie.expires?.getTime() }
    }),
    now: Date.now(),
    good: `s:${sign('good')}`,
    id: 'ada',
    bad: badSessions('s:'),
    breakDependency: () => {
      state.isDown = true
    },
  }
})

dependentVerifierContract('betterAuth', async () => {
  const tables: MemoryDB = { user: [], session: [], account: [], verification: [] }
  const auth = createAuth({
    baseURL: 'http://127.0.0.1',
    secret: 'a secret of more than 32 characters',
    database: memoryAdapter(tables),
    emailAndPassword: { enabled: true, password: { hash: async (text) => text, verify: async () => true } },
    logger: { disabled: true },
  })
  const body = { email: 'ada@example.com', password: 'correct horse', name: 'Ada' }
  const { headers, response } = await auth.api.signUpEmail({ body, returnHeaders: true })
  const value = /session_token=([^;]+)/.exec(headers.get('set-cookie') ?? '')?.[1] ?? ''
  const good = decodeURIComponent(value)
  return {
    verify: betterAuth(auth, ({ user }) => ({ id: user.id })),
    now: Date.now(),
    good,
    id: response.user.id,
    bad: { unsigned: good.split('.')[0]!, changed: `x${good}` },
    breakDependency: () =>
      Object.defineProperty(tables, 'session', {
        get() {
          throw new Error('down')
        },
      }),
  }
})

verifierContract('authJs', async () => {
  const salt = 'authjs.session-token'
  const written = (token: object, by: { secret?: string; salt?: string; maxAge?: number } = {}) =>
    encode({ token: { ...token }, secret, salt, maxAge: 3600, ...by })
  return {
    verify: authJs({ decode, secret, salt }, ({ sub }) => (sub ? { id: sub } : undefined)),
    now: Date.now(),
    good: await written({ sub: 'ada' }),
    id: 'ada',
    bad: {
      'another secret': await written({ sub: 'ada' }, { secret: 'another' }),
      'another salt': await written({ sub: 'ada' }, { salt: 'another' }),
      'without a user': await written({}),
      expired: await written({ sub: 'ada' }, { maxAge: -60 }),
    },
  }
})

verifierContract('ironSession', async () => {
  const options = { password: 'a password of more than 32 characters', ttl: 3600 }
  return {
    verify: ironSession({ unsealData: unsealData<object>, ...options }, identify),
    now: Date.now(),
    good: await sealData({ userId: 'ada' }, options),
    id: 'ada',
    bad: {
      'another password': await sealData({ userId: 'ada' }, { password: 'another password of over 32 characters' }),
      'without a user': await sealData({}, options),
      'without an end': await sealData({ userId: 'ada' }, { ...options, ttl: 0 }),
    },
  }
})

verifierContract('sealed', async () => {
  const seal = (name: string, expiresAt: number) =>
    sign(Buffer.from(JSON.stringify({ name, expiresAt })).toString('hex'))
  return {
    verify: sealed(
      (value): { name: string; expiresAt: number } => {
        const [text = ''] = value.split('.')
        if (sign(text) !== value) throw new Error('broken')
        return JSON.parse(Buffer.from(text, 'hex').toString())
      },
      ({ name, expiresAt }) =>
        name ? { identity: { id: name }, issuedAt: now - hour, expiresAt, session: `${name} ${expiresAt}` } : undefined,
    ),
    now,
    good: seal('ada', now + hour),
    id: 'ada',
    bad: { broken: 'ada.x', 'without a user': seal('', now + hour), expired: seal('ada', now) },
  }
})

const supabaseCookie = (changes: object, claims = {}) =>
  `base64-${Buffer.from(JSON.stringify({ access_token: tokenBy(pair, { claims }), ...changes })).toString('base64url')}`

verifierContract('supabase', async () => ({
  verify: supabase(jwt({ publicKey: pair.publicKey, algorithms: ['ES256'], ...rules })),
  now,
  good: supabaseCookie({}),
  id: 'ada',
  bad: {
    'no token': supabaseCookie({ access_token: undefined }),
    'a number': supabaseCookie({ access_token: 5 }),
    'another issuer': supabaseCookie({}, { iss: 'https://other.example.com' }),
    'no cookie of it': tokenBy(pair),
  },
}))

dependentVerifierContract('oidc', async () => {
  let isDown = false
  const server = await startJsonServer((response, { url }) => {
    if (isDown) return void (status(500) as (response: unknown) => void)(response)
    const issuer = server.url.slice(0, -1)
    response.end(JSON.stringify(url === '/keys' ? { keys: [pair.jwk()] } : { issuer, jwks_uri: `${server.url}keys` }))
  })
  const issuer = server.url.slice(0, -1)
  const token = (changes = {}, signer = pair) => tokenBy(signer, { claims: goodClaims({ iss: issuer, ...changes }) })
  return {
    verify: oidc({ issuer, algorithms: ['ES256'], audience: rules.audience }),
    now,
    good: token(),
    id: 'ada',
    bad: {
      'another issuer': token({ iss: `${issuer}/` }),
      'another audience': token({ aud: 'https://other.example.com' }),
      'another key': token({}, signingPair('ES256', 'key-1')),
      'an unknown key': token({}, signingPair('ES256', 'key-2')),
    },
    breakDependency: () => {
      isDown = true
    },
  }
})
