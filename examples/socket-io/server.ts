import { createServer } from 'node:http'
import { connectionOf, guardSocketIo } from '@sallyport/server/socket-io'
import { Server } from 'socket.io'
import { nodeAccounts } from '../shared/accounts.js'
import { address, ready } from '../shared/config.js'
import { guard } from '../shared/guard.js'

const server = createServer(async (request, response) => {
  if (!(await nodeAccounts(request, response))) response.writeHead(404).end()
})
const io = new Server(server, { path: '/ws' })
guardSocketIo(io, guard)
io.on('connection', (socket) => {
  const { identity, method } = connectionOf(guard, socket)
  socket.on('message', (data) => socket.emit('echo', data))
  socket.emit('welcome', { userId: identity.id, method })
})
server.listen(address, () => ready('socket-io'))
