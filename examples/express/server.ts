import { createRoutes } from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import express from 'express'
import { nodeAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'
import { welcome } from '../shared/welcome.js'

const routes = createRoutes(guard, { path: '/ws' })
const app = express()
app.use(async (request, response, next) => {
  if (!(await routes.node(request, response))) next()
})
app.use(async (request, response, next) => {
  if (!(await nodeAccounts(request, response))) next()
})
const server = app.listen(address.port, address.host, () => ready('express'))
guardServer(server, guard, { path: '/ws' }, welcome)
