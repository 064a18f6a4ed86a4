import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, createRoutes, header, type Identity, query, rejected, systemClock } from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'

/**
 * A guarded server in a process of its own. It tells its port, and what its application has seen when it is asked. How far
 * its clock is ahead of the system's, in milliseconds, stands in the file that is its argument.
 */
const [, , clockFile] = process.argv
const ahead = () => (clockFile ? Number(readFileSync(clockFile, 'utf8')) : 0)

const verify = (credential: string, { now }: { readonly now: number }) =>
  credential.startsWith('good-')
    ? { identity: { id: credential.slice(5) }, issuedAt: now, expiresAt: now + 60_000 }
    : rejected('credential-unknown')

const guard = createGuard({
  clock: { ...systemClock, now: () => Date.now() + ahead() },
  accept: [header<Identity>({ verify }), query<Identity>({ verify })],
})
const routes = createRoutes(guard, { path: '/ws' })
// As the README tells it.
const server = createServer(async (request, response) => {
  if (!(await routes.node(request, response))) response.writeHead(404).end()
})
const seen: string[] = []
guardServer(server, guard, { path: '/ws' }, (socket, { identity }) => {
  seen.push(`handler ${identity.id}`)
  socket.on('message', (data) => {
    seen.push(String(data))
    socket.send(`echo ${data}`)
  })
})
process.on('message', () => process.send?.({ seen, connections: guard.connections.size }))
process.on('disconnect', () => process.exit())
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
