import type { Server } from 'node:http'
import {
  type Conversation,
  cookie,
  createGuard,
  createRoutes,
  type Dialect,
  firstMessage,
  graphqlWs,
  header,
  hocuspocus,
  type Identity,
  mqtt,
  query,
  stomp,
  subprotocol,
  ticket,
  trpc,
  type Verifier,
  yjs,
} from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import { WebSocketServer } from 'ws'

declare const verify: Verifier<Identity>
declare const server: Server
const origins = ['https://app.example.com']

// Browsers send a cookie for every page: without origins it does not compile, however many methods stand beside it.
// @ts-expect-error: a cookie needs origins
createGuard({ accept: [cookie({ name: 'session', verify })] })
// @ts-expect-error: a cookie needs origins
createGuard({ accept: [ticket(), header({ verify }), cookie({ name: 'session', verify }), firstMessage({ verify })] })
// @ts-expect-error: `undefined` is no list of origins
createGuard({ accept: [cookie({ name: 'session', verify })], origins: undefined })
createGuard({ accept: [cookie({ name: 'session', verify })], origins })
createGuard({ accept: [ticket(), header({ verify }), cookie({ name: 'session', verify })], origins })

// The others may do without, and may have them.
createGuard({ accept: [ticket(), query({ verify }), header({ verify }), firstMessage({ verify })] })
createGuard({ accept: [header({ verify })], origins })

// Origins may come from a function, which says yes or no.
createGuard({ accept: [cookie({ name: 'session', verify })], origins: (origin) => origin.endsWith('.example.com') })
createGuard({ accept: [header({ verify })], origins: async (origin, { target }) => target === origin })
// @ts-expect-error: a number is no answer
createGuard({ accept: [header({ verify })], origins: () => 1 })
createGuard({ accept: [subprotocol({ verify })], protocols: ['app.v1'] })

// @ts-expect-error: no ways in
createGuard({})
// @ts-expect-error: a verifier is no method
createGuard({ accept: [verify] })
// @ts-expect-error: no such way to refuse
createGuard({ accept: [header({ verify })], refuseBy: 'silence' })
// @ts-expect-error: no such option
createGuard({ accept: [header({ verify })], orgins: origins })
createGuard({ accept: [header({ verify })], refuseBy: 'status', verifyTimeout: 1_000 })

// @ts-expect-error: a verifier is needed
header({})
// @ts-expect-error: a name is needed
cookie({ verify })
// @ts-expect-error: no such option; what is dangerous says so
query({ verify, allowLongLived: true })
query({ verify, dangerouslyAllowLongLived: true })

const guard = createGuard({ accept: [header({ verify })] })
// @ts-expect-error: a path is needed
guardServer(server, guard, {}, () => {})
// @ts-expect-error: a path is needed
createRoutes(guard, {})
// @ts-expect-error: a handler is needed
guardServer(server, guard, { path: '/ws' })
const detach: () => void = guardServer(
  server,
  guard,
  { path: '/ws', webSocketServer: new WebSocketServer({ noServer: true }) },
  async (socket) => {
    socket.send('hello')
  },
)
void detach

// A route speaks one protocol that the guard knows.
guardServer(server, guard, { path: '/graphql', dialect: graphqlWs }, () => {})
guardServer(server, guard, { path: '/room', dialect: yjs }, () => {})
for (const dialect of [hocuspocus, mqtt, stomp, trpc]) guardServer(server, guard, { path: '/x', dialect }, () => {})
guardServer(server, guard, { path: '/graphql', dialect: { ...graphqlWs, parameter: 'authToken' } }, () => {})
// @ts-expect-error: not by its name
guardServer(server, guard, { path: '/room', dialect: 'yjs' }, () => {})
// @ts-expect-error: the name of a field
guardServer(server, guard, { path: '/graphql', dialect: { ...graphqlWs, parameter: 7 } }, () => {})

// One of the application's says what it hears, and what it says.
const ofMine: Dialect = {
  closeCodes: { unauthenticated: 4401 },
  converse: () => ({
    hear: (message) => {
      message satisfies string | Uint8Array
      return { credential: String(message), rest: [] }
    },
    say: (news) => (news.type === 'refused' ? `no: ${news.code}` : undefined),
  }),
}
guardServer(server, guard, { path: '/mine', dialect: ofMine }, () => {})
// @ts-expect-error: an answer that is none
const unsure: Conversation = { hear: () => 'maybe', say: () => undefined }
void unsure
// @ts-expect-error: a code that there is not
const unknown: Dialect = { closeCodes: { banned: 4401 } }
void unknown

// A revocation names one thing.
guard.revoke({ user: 'ada', issuer: 'https://id.example.com' })
guard.revoke({ session: 's1' })
guard.revoke({ token: 't1' })
guard.revoke({ connection: 'c1' })
// @ts-expect-error: nothing named
guard.revoke({})
// @ts-expect-error: no such target
guard.revoke({ id: 'ada' })
// @ts-expect-error: two targets
guard.revoke({ user: 'ada', session: 's1' })
// @ts-expect-error: two targets
guard.revoke({ session: 's1', token: 't1' })
// @ts-expect-error: two targets
guard.revoke({ connection: 'c1', issuedBefore: 0 })
// @ts-expect-error: an issuer stands beside a user
guard.revoke({ session: 's1', issuer: 'https://id.example.com' })
// @ts-expect-error: nobody in particular
guard.revoke({ issuer: 'https://id.example.com' })
// @ts-expect-error: an id is a string
guard.revoke({ user: 42 })
// @ts-expect-error: nobody
guard.revoke({ user: null })
declare const nobody: string | undefined
// @ts-expect-error: perhaps nobody
guard.revoke({ session: nobody })
// @ts-expect-error: perhaps of any issuer
guard.revoke({ user: 'ada', issuer: nobody })
