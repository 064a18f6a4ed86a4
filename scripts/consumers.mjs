// The strangers who use our packages as published: what each installs, imports and writes, and what it must not end up with.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, root } from './bootstrap.mjs'

export const folders = readdirSync(join(root, 'packages')).map((name) => `packages/${name}`)
const manifests = folders.map((folder) => readJson(`${folder}/package.json`))

/** The versions that strangers install of what is not ours. */
export const versions = {
  ...readJson('package.json').devDependencies,
  jest: '30.5.2',
  '@types/bun': '1.4.5',
  '@types/deno': '2.7.0',
}

const peers = manifests.flatMap(({ peerDependencies = {} }) => Object.keys(peerDependencies))
/** The types of the oldest Node.js that we support, and the newest there are: what they call a type has changed. */
const nodeTypes = [versions['@types/node'], '26.6.7']
const peerTypes = peers.map((name) => `@types/${name}`).filter((name) => versions[name])

/** The client for who has none of the libraries that a part of it is for. */
const withoutPeers = subpaths('@sallyport/client').filter((path) => path !== '@sallyport/client/react')

/** What an application does with the client: whatever its libraries declare, the events have their types. */
const clientUse = `
  import { GuardedSocket, ticket } from '@sallyport/client'
  const socket = new GuardedSocket('wss://api.example.com/ws', { credential: ticket('/ws/ticket', { token: () => 'x' }) })
  socket.binaryType = 'arraybuffer'
  socket.send(new Uint8Array(1))
  socket.addEventListener('message', (event) => { const { data, type }: { data: unknown; type: string } = event })
  socket.addEventListener('close', ({ code, reason }) => { const closure: [number, string] = [code, reason] })
  socket.addEventListener('terminal', ({ outcome }) => { const kind: 'misconfigured' | string = outcome.kind })
  socket.onopen = () => socket.close(1000)
  // @ts-expect-error a close has no such thing
  socket.onclose = ({ nothing }) => {}
`

/** A component of a React application. */
const reactUse = `
  import { GuardedSocket, ticket } from '@sallyport/client'
  import { useGuardedSocket } from '@sallyport/client/react'
  export function useEcho(user: string): [status: string, send: (line: string) => void] {
    const { status, outcome, send } = useGuardedSocket(
      () => new GuardedSocket('wss://api.example.com/ws', { credential: ticket('/ws/ticket') }), [user])
    return [outcome?.kind ?? status, send]
  }
`

const guardUse = `
  import { createGuard, header } from '@sallyport/server'
  const guard = createGuard({ accept: [header({ verify: () => ({ identity: { id: 'ada', plan: 'pro' } }) })] })
  const app = (request: Request) => new Response(request.url)
`

/** An application of Bun, whose own declarations say what a server and its sockets are. */
const bunUse = `
  import { guardBun } from '@sallyport/server/bun'
  ${guardUse}
  const others: Bun.WebSocketHandler<{ name: string }> = { message: (ws) => void ws.send(ws.data.name) }
  const door = guardBun(guard, { path: '/rooms/:room', others }, {
    open(ws) {
      ws.subscribe(ws.data.connection.params.room)
      ws.send(ws.data.connection.identity.plan)
    },
    message: (ws, message) => void ws.publish(ws.data.connection.params.room, message as string),
  })
  const { websocket } = door
  Bun.serve({ fetch: async (request, server) => (await door.fetch(request, server)) ?? app(request), websocket })
  Bun.serve({
    routes: { '/rooms/:room': (request, server) => door.fetch(request, server) },
    fetch: app,
    websocket: { ...websocket, idleTimeout: 60 },
  })
  export default {
    fetch: async (request, server) => (await door.fetch(request, server)) ?? app(request),
    websocket,
  } satisfies Bun.Serve.Options<unknown>
`

/** An application of Deno, whose own declarations say what a request comes with. */
const denoUse = `
  import { guardDeno } from '@sallyport/server/deno'
  ${guardUse}
  const door = guardDeno(guard, { path: '/rooms/:room' }, (socket, { identity, params }) => {
    socket.binaryType = 'arraybuffer'
    socket.onmessage = ({ data }) => socket.send(identity.plan + params.room + data)
  })
  Deno.serve(async (request, info) => (await door.fetch(request, info)) ?? app(request))
  Deno.serve({ path: '/run/app.sock' }, async (request, info) => (await door.fetch(request, info)) ?? app(request))
  export default {
    fetch: async (request, info) => (await door.fetch(request, info)) ?? app(request),
  } satisfies Deno.ServeDefaultExport
`

/** A test of an application, as Jest runs it without any configuration: in CommonJS, by a `require` of its own. */
const jestTest = `
  const { createGuard, header, rejected } = require('@sallyport/server')
  const { testClock, testServer } = require('@sallyport/server/testing')
  const { GuardedSocket } = require('@sallyport/client')
  const { codes } = require('@sallyport/protocol')

  const verify = (token, { now }) =>
    token === 'good' ? { identity: { id: 'ada' }, issuedAt: now, expiresAt: now + 60_000 } : rejected('credential-unknown')

  test('a good token comes in, and a bad one does not', async () => {
    expect(GuardedSocket.OPEN).toBe(1)
    const clock = testClock()
    const guard = createGuard({ clock, accept: [header({ verify })] })
    const server = testServer(guard, (socket, { identity }) => socket.send(identity.id), { clock })
    const client = await server.connect({ headers: { Authorization: 'Bearer good' } })
    expect(await client.receive()).toBe('ada')
    client.expireNow()
    expect((await client.closed).code).toBe(codes.expired.close)
    await expect(server.connect({ headers: { Authorization: 'Bearer bad' } })).rejects.toMatchObject({ status: 401 })
  })
`

/**
 * - `install`: ours and what stands beside them; `types`: the declarations of these, of which `ambient` hold everywhere
 * - `module`: how its compiler reads modules, which for `Node16` is CommonJS here; `uses`: what it writes beside its imports
 * - `exactly` these packages it ends up with, and `without` those
 * - `runs`: a test file for Jest
 */
export const consumers = [
  {
    name: 'a browser client',
    install: ['@sallyport/protocol', '@sallyport/client'],
    imports: [...subpaths('@sallyport/protocol'), ...withoutPeers],
    lib: ['ES2023', 'DOM', 'DOM.Iterable'],
    exactly: ['@sallyport/client', '@sallyport/protocol'],
    uses: clientUse,
  },
  {
    name: 'a client in Node.js',
    install: ['@sallyport/protocol', '@sallyport/client'],
    imports: withoutPeers,
    lib: ['ES2023'],
    nodeTypes,
    uses: clientUse,
  },
  {
    name: 'a React application',
    install: ['@sallyport/protocol', '@sallyport/client', 'react'],
    imports: subpaths('@sallyport/client'),
    lib: ['ES2023', 'DOM', 'DOM.Iterable'],
    types: ['@types/react'],
    uses: reactUse,
  },
  {
    name: 'a server without the optional peers',
    install: ['@sallyport/protocol', '@sallyport/server'],
    imports: ['@sallyport/server'],
    lib: ['ES2023'],
    nodeTypes,
    without: peers,
  },
  {
    name: 'a server with every peer',
    install: ['@sallyport/protocol', '@sallyport/server', ...peers],
    imports: subpaths('@sallyport/server'),
    lib: ['ES2023'],
    nodeTypes,
    types: peerTypes,
  },
  {
    name: 'an application of Bun',
    install: ['@sallyport/protocol', '@sallyport/server'],
    imports: ['@sallyport/server/bun'],
    lib: ['ESNext'],
    types: ['@types/bun'],
    ambient: ['bun'],
    uses: bunUse,
  },
  {
    name: 'an application of Deno',
    install: ['@sallyport/protocol', '@sallyport/server'],
    imports: ['@sallyport/server/deno'],
    lib: ['ESNext', 'DOM', 'DOM.Iterable'],
    types: ['@types/deno', '@types/node'],
    ambient: ['deno', 'node'],
    uses: denoUse,
  },
  {
    name: 'an application in CommonJS',
    module: 'Node16',
    install: ['@sallyport/protocol', '@sallyport/server', '@sallyport/client', ...peers],
    imports: ['@sallyport/protocol', '@sallyport/server', '@sallyport/client'].flatMap(subpaths),
    lib: ['ES2023'],
    nodeTypes,
    types: peerTypes,
    uses: clientUse,
  },
  {
    name: 'a Jest project',
    module: 'Node16',
    install: ['@sallyport/protocol', '@sallyport/server', '@sallyport/client', 'ws', 'jest'],
    imports: [],
    lib: ['ES2023'],
    runs: jestTest,
  },
]

function subpaths(name) {
  const { exports } = manifests.find((manifest) => manifest.name === name)
  return Object.keys(exports)
    .filter((path) => path !== './package.json')
    .map((path) => name + path.slice(1))
}
