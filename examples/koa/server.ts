import { createRoutes } from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import Koa from 'koa'
import { nodeAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'
import { welcome } from '../shared/welcome.js'

const routes = createRoutes(guard, { path: '/ws' })
const app = new Koa()
app.use(async (context, next) => {
  // Koa answers by itself unless it is told that somebody else has.
  context.respond = false
  if (await routes.node(context.req, context.res)) return
  if (await nodeAccounts(context.req, context.res)) return
  context.respond = true
  await next()
})
const server = app.listen(address.port, address.host, () => ready('koa'))
guardServer(server, guard, { path: '/ws' }, welcome)
