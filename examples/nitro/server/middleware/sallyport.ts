import { createRoutes } from '@sallyport/server'
import { defineEventHandler } from 'h3'
import { nodeAccounts } from '../../../shared/accounts.js'
import { guard } from '../../../shared/guard.js'

const routes = createRoutes(guard, { path: '/ws' })

export default defineEventHandler(async ({ node }) => {
  if (await routes.node(node.req, node.res)) return
  await nodeAccounts(node.req, node.res)
})
