import { type Connection, createGuard, type Guard, header, type Verifier } from '@sallyport/server'
import { type TestClient, testClock, testNodes, testServer } from '@sallyport/server/testing'
import { type Equals, expectTrue } from './types.js'

interface Member {
  readonly id: string
  readonly role: 'reader' | 'writer'
}
declare const verify: Verifier<Member>

const clock = testClock()
const guard = createGuard({ clock, accept: [header({ verify })] })

// What a client's connection says is what the verifier told.
const client = await testServer(guard, () => {}, { clock }).connect()
expectTrue<Equals<typeof client, TestClient<Member>>>()
expectTrue<Equals<typeof client.connection, Connection<Member> | undefined>>()
expectTrue<Equals<ReturnType<typeof client.renewed>, Promise<void>>>()

// Packets of one side, or of both.
client.losePackets()
client.losePackets('server')
// @ts-expect-error: no such side
client.losePackets('up')

// There are always two nodes, and there may be more.
const [one, two, three] = testNodes(
  (shared) => createGuard({ ...shared, accept: [header({ verify })] }),
  () => {},
  {
    clock,
    nodes: 3,
  },
)
expectTrue<Equals<typeof one.guard, Guard<Member>>>()
void two.guard
// @ts-expect-error: there may be no third
void three.guard
const create = () => guard
// @ts-expect-error: nodes need the clock that their guards were created with
testNodes(create, () => {}, { nodes: 2 })

// The handler of an application is tested as it is, with the parameters that its path names.
const inRoom = (_: unknown, { params }: Connection<Member, { readonly room: string }>) => params.room
const path = '/yjs/:room'
const admit = (_: Member, { params }: { readonly params: { readonly room: string } }) => params.room !== 'closed'
testServer(guard, inRoom, { clock, path, admit })
testNodes(create, inRoom, { clock, path, admit })
// @ts-expect-error: the path has no such parameter
testServer(guard, inRoom, { clock, path: '/yjs/:name' })
// @ts-expect-error: nor has the path where none is given
testServer(guard, inRoom, { clock })
