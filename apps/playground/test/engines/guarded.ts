import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, createRoutes } from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import { verifyGood } from '../../../../packages/server/test/support/guard.js'
import { echo } from '../../../../packages/server/test/support/server.js'

export { verifyGood }

type Ways = Parameters<typeof createGuard>[0]['accept']

/** A page with that script, which is signed in as `ada` by the cookie `trial`, and guarded routes at `/<name>/ws`. */
export async function serveGuarded(script: string, routes: Record<string, Ways>) {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/`
  const handlers = Object.entries(routes).map(([name, accept]) => {
    const path = `/${name}/ws`
    const guard = createGuard({ origins: [new URL(url).origin], protocols: ['chat', 'chat2'], accept })
    // It echoes, and closes at a word.
    guardServer(server, guard, { path }, (socket, connection) => {
      echo(socket, connection)
      socket.on('message', (data) => String(data) === 'bye' && socket.close(4321, 'bye'))
    })
    return createRoutes(guard, { path })
  })
  server.on('request', async (request, response) => {
    for (const { node } of handlers) if (await node(request, response)) return
    response
      .writeHead(200, { 'content-type': 'text/html', 'set-cookie': 'trial=good-ada; Path=/; HttpOnly' })
      .end(`<!doctype html><meta charset="utf-8"><script>${script}</script>`)
  })
  return {
    port,
    url,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
