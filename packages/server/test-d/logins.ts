import type { Server } from 'node:http'
import { decode } from '@auth/core/jwt'
import fastifyStore from '@fastify/session'
import { cookie, createGuard, type Identity, sealed, type Verifier } from '@sallyport/server'
import { jwt, type TokenIdentity } from '@sallyport/server/jwt'
import {
  authJs,
  betterAuth,
  expressSession,
  fastifySession,
  ironSession,
  nodeMiddleware,
  supabase,
} from '@sallyport/server/logins'
import { guardServer } from '@sallyport/server/ws'
import { betterAuth as createAuth } from 'better-auth'
import session, { MemoryStore } from 'express-session'
import { unsealData } from 'iron-session'
import passport from 'passport'
import { type Equals, expectTrue } from './types.js'

declare const server: Server
const secret = 'secret'

interface Person extends Identity {
  readonly name: string
}
declare const person: (id: string | undefined) => Person | undefined

// What the library knows of a session is what the application sees of it, with no cast; the identity is what it makes of it.
const bySession = expressSession({ store: new MemoryStore(), secret }, (found) => {
  expectTrue<Equals<typeof found, session.SessionData>>()
  return person(found.userId)
})
expectTrue<Equals<typeof bySession, Verifier<Person>>>()
const guard = createGuard({
  origins: ['https://a.example'],
  accept: [cookie({ name: 'connect.sid', verify: bySession })],
})
guardServer(server, guard, { path: '/ws' }, (_, { identity }) => {
  expectTrue<Equals<typeof identity, Person>>()
})
// @ts-expect-error: signed with what
expressSession({ store: new MemoryStore() }, () => undefined)
// @ts-expect-error: an identity has an id
expressSession({ store: new MemoryStore(), secret }, () => ({ name: 'Ada' }))

const byFastify = fastifySession({ store: new fastifyStore.MemoryStore(), secret: [secret] }, ({ userId }) => {
  expectTrue<Equals<typeof userId, string | undefined>>()
  return person(userId)
})
expectTrue<Equals<typeof byFastify, Verifier<Person>>>()

const auth = createAuth({ secret, user: { additionalFields: { role: { type: 'string' } } } })
const byBetterAuth = betterAuth(auth, ({ user }) => {
  expectTrue<Equals<typeof user.email, string>>()
  return { id: user.id, role: user.role }
})
expectTrue<Equals<typeof byBetterAuth, Verifier<{ id: string; role: string }>>>()

const byAuthJs = authJs({ decode, secret: [secret], salt: 'authjs.session-token' }, async ({ sub }) => {
  expectTrue<Equals<typeof sub, string | undefined>>()
  return person(sub)
})
expectTrue<Equals<typeof byAuthJs, Verifier<Person>>>()

const byIron = ironSession({ unsealData: unsealData<{ user?: Person }>, password: secret }, ({ user }) => user)
expectTrue<Equals<typeof byIron, Verifier<Person>>>()

const byPassport = nodeMiddleware(
  { cookie: 'connect.sid', use: [session({ secret }), passport.session()] },
  (request) => {
    const { user } = request
    return user && { identity: { id: user.id, name: user.name }, expiresAt: request.session.cookie.expires?.getTime() }
  },
)
expectTrue<Equals<typeof byPassport, Verifier<{ id: string; name: string }>>>()

const token = jwt({ secret, algorithms: ['HS256'], issuer: 'https://id.example.com', audience: 'chat' })
const bySupabase = supabase(token)
expectTrue<Equals<typeof bySupabase, Verifier<TokenIdentity>>>()

const bySeal = sealed(
  (value) => ({ name: value }),
  ({ name }) => ({ identity: { id: '1', name }, issuedAt: 0, expiresAt: 1, session: 's' }),
)
expectTrue<Equals<typeof bySeal, Verifier<{ id: string; name: string }>>>()
// @ts-expect-error: until when
sealed(String, (name) => ({ identity: { id: name }, issuedAt: 0, session: 's' }))
