import type { Server } from 'node:http'
import {
  type Accept,
  type Connection,
  cookie,
  createGuard,
  createRoutes,
  firstMessage,
  type Guard,
  type GuardEvent,
  header,
  type Identity,
  type IdentityOf,
  query,
  rejected,
  subprotocol,
  ticket,
  type Verdict,
  type Verifier,
} from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import { type Equals, expectFalse, expectTrue, type IsAny } from './types.js'

interface Person extends Identity {
  readonly roles: readonly string[]
}

interface Machine extends Identity {
  readonly serial: number
}

declare const server: Server
declare const person: Verifier<Person>
declare const machine: Verifier<Machine>
const origins = ['https://app.example.com']

// What a verifier says is what the handler gets, with no cast in between.
const people = createGuard({ accept: [header({ verify: person })] })
expectTrue<Equals<typeof people, Guard<Person>>>()
guardServer(server, people, { path: '/ws' }, (_, connection) => {
  expectTrue<Equals<typeof connection, Connection<Person>>>()
  expectFalse<IsAny<typeof connection.identity>>()
  const roles: readonly string[] = connection.identity.roles
  void roles
  // @ts-expect-error: a person has no serial number
  void connection.identity.serial
})

// By every method.
expectTrue<Equals<IdentityOf<ReturnType<typeof query<Person>>>, Person>>()
expectTrue<Equals<IdentityOf<ReturnType<typeof header<Person>>>, Person>>()
expectTrue<Equals<IdentityOf<ReturnType<typeof cookie<Person>>>, Person>>()
expectTrue<Equals<IdentityOf<ReturnType<typeof subprotocol<Person>>>, Person>>()
expectTrue<Equals<IdentityOf<ReturnType<typeof firstMessage<Person>>>, Person>>()
expectTrue<Equals<IdentityOf<ReturnType<typeof ticket>>, never>>()

// A ticket is issued to whom the other methods know, and adds nobody.
const withTickets = createGuard({ accept: [ticket(), header({ verify: person })] })
expectTrue<Equals<typeof withTickets, Guard<Person>>>()

// Two verifiers make a union, to be told apart by the handler.
const both = createGuard({
  origins,
  protocols: ['app.v1'],
  accept: [
    ticket(),
    query({ verify: machine }),
    header({ verify: machine }),
    cookie({ name: 'session', verify: person }),
    subprotocol({ verify: machine }),
    firstMessage({ verify: person }),
  ],
})
expectTrue<Equals<typeof both, Guard<Person | Machine>>>()
guardServer(server, both, { path: '/ws' }, async (_, { identity }) => {
  expectFalse<IsAny<typeof identity>>()
  const id: string = identity.id
  void id
  // @ts-expect-error: it may be a machine, which has no roles
  void identity.roles
  if ('roles' in identity) expectTrue<Equals<typeof identity, Person>>()
  else expectTrue<Equals<typeof identity, Machine>>()
})

// A verifier that is written in place is inferred as well.
const inPlace = createGuard({
  accept: [
    header({
      verify: async (credential, { now }) =>
        credential === 'x'
          ? { identity: { id: 'ada', team: 7 as const }, expiresAt: now }
          : rejected('credential-unknown'),
    }),
  ],
})
guardServer(server, inPlace, { path: '/ws' }, (_, { identity }) => {
  expectFalse<IsAny<typeof identity>>()
  expectTrue<Equals<typeof identity.team, 7>>()
})

// The same type everywhere that an identity shows.
for (const connection of people.connections) expectTrue<Equals<typeof connection, Connection<Person>>>()
expectTrue<Equals<ReturnType<typeof people.connections.get>, Connection<Person> | undefined>>()
// What adapters do with them is no application's.
expectTrue<Equals<keyof typeof people.connections, 'size' | 'get' | typeof Symbol.iterator>>()
expectTrue<Equals<Awaited<ReturnType<typeof people.decide>>, Verdict<Person>>>()
people.subscribe((event) => {
  expectTrue<Equals<typeof event, GuardEvent<Person>>>()
  if (event.type === 'accepted') expectTrue<Equals<typeof event.connection.identity, Person>>()
})
expectFalse<IsAny<Accept['identity']>>()
expectTrue<Equals<Accept<Person>['identity'], Person>>()

// Routes take any guard.
createRoutes(people, { path: '/ws' })
createRoutes(both, { path: '/ws' })

// A connection is read, not written.
declare const connection: Connection<Person>
// @ts-expect-error: nobody changes who a connection is
connection.identity = { id: 'eve', roles: [] }

// A verifier has to tell who it is.
// @ts-expect-error: no identity
header({ verify: () => ({ expiresAt: 1 }) })
// @ts-expect-error: an id is a string
header({ verify: () => ({ identity: { id: 7 } }) })
// @ts-expect-error: `undefined` is no answer
header({ verify: () => undefined })
// @ts-expect-error: a reason of its own
rejected('because')
header({ verify: () => ({ identity: { id: 'ada' } }) })

// A verifier that is not typed makes an identity, never `any`.
const untyped = createGuard({ accept: [header({ verify: (credential) => JSON.parse(credential) })] })
expectTrue<Equals<typeof untyped, Guard<Identity>>>()
const untypedLater = createGuard({ accept: [header({ verify: async (credential) => JSON.parse(credential) })] })
expectTrue<Equals<typeof untypedLater, Guard<Identity>>>()
const untypedIdentity = createGuard({
  accept: [header({ verify: (credential) => ({ identity: JSON.parse(credential) }) })],
})
guardServer(server, untypedIdentity, { path: '/ws' }, (_, { identity }) => {
  expectFalse<IsAny<typeof identity>>()
})
