export { type AuthJsOptions, type AuthJsToken, authJs } from './auth-js.js'
export { type BetterAuth, type BetterAuthSession, betterAuth } from './better-auth.js'
export type { IdentifySession } from './identify.js'
export { type IronSessionOptions, ironSession } from './iron-session.js'
export { type Middleware, type NodeMiddlewareOptions, nodeMiddleware } from './node-middleware.js'
export {
  expressSession,
  type FastifySessionOptions,
  fastifySession,
  type SessionStore,
  type StoredSession,
  type StoredSessionOptions,
} from './stored-session.js'
export { supabase } from './supabase.js'
