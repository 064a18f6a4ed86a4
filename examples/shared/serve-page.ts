import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import { createRoutes } from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import { nodeAccounts } from './accounts.js'
import { address, ready } from './config.js'
import { guard } from './guard.js'
import { welcome } from './welcome.js'

/** As much of Vite as is used here: an example brings its own. */
type CreateVite = (options: {
  readonly root: string
  readonly cacheDir: string
  readonly server: { readonly middlewareMode: true; readonly hmr: { readonly server: Server } }
}) => Promise<{ middlewares(request: IncomingMessage, response: ServerResponse): void }>

/** The server of an example that is a page: that of the example `vite`, for the page in the folder of that name. */
export async function servePage(name: string, createVite: CreateVite): Promise<void> {
  const routes = createRoutes(guard, { path: '/ws' })
  const server = createServer(async (request, response) => {
    if (await routes.node(request, response)) return
    if (await nodeAccounts(request, response)) return
    vite.middlewares(request, response)
  })
  const vite = await createVite({
    root: fileURLToPath(new URL(`../${name}`, import.meta.url)),
    // Two that run at once may not share it.
    cacheDir: process.env.VITE_CACHE_DIR ?? 'node_modules/.vite',
    server: { middlewareMode: true, hmr: { server } },
  })
  guardServer(server, guard, { path: '/ws' }, welcome)
  server.listen(address, () => ready(name))
}
