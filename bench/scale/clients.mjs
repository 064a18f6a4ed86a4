// Clients of run.mjs: as many GuardedSockets as it is told, each with a ticket for every attempt.
import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { GuardedSocket, ticket } from '@sallyport/client'
import { SignJWT } from 'jose'
import { WebSocket } from 'ws'

const [port, first, count, secret, rampMs] = process.argv.slice(2)
const key = new TextEncoder().encode(secret)
const agent = new Agent({ keepAlive: true, maxSockets: 64 })
class PlainWebSocket extends WebSocket {
  constructor(url, protocols) {
    super(url, protocols, { perMessageDeflate: false })
  }
}

const tokenOf = (user) =>
  new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('scale')
    .setAudience('scale')
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(key)

/** A ticket over a few connections that stay open: 15,000 fetches at once would measure themselves. */
async function askTicket(user) {
  const authorization = `Bearer ${await tokenOf(user)}`
  return new Promise((resolve, reject) => {
    const sent = request(
      { port, host: '127.0.0.1', path: '/ws/ticket', method: 'POST', agent, headers: { authorization } },
      async (response) => {
        const body = await text(response)
        if (response.statusCode === 201) resolve(JSON.parse(body).ticket)
        else reject(new Error(`a ticket was answered with ${response.statusCode}`))
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}

const seen = { open: 0, openedAt: [], closed: {}, terminal: 0 }
const sockets = []
for (let i = 0; i < Number(count); i++) {
  const user = `user-${Number(first) + i}`
  setTimeout(
    () => {
      const socket = new GuardedSocket(`ws://127.0.0.1:${port}/ws`, {
        credential: ticket(() => askTicket(user)),
        WebSocket: PlainWebSocket,
      })
      socket.addEventListener('open', () => {
        seen.open += 1
        seen.openedAt.push(Date.now())
      })
      socket.addEventListener('close', ({ code }) => {
        seen.open -= 1
        seen.closed[code] = [...(seen.closed[code] ?? []), Date.now()]
      })
      socket.addEventListener('terminal', () => {
        seen.terminal += 1
      })
      sockets.push(socket)
    },
    (i / Number(count)) * Number(rampMs),
  )
}

process.on('message', (ask) => {
  if (ask === 'state') process.send(seen)
  if (ask === 'forget') {
    seen.openedAt = []
    seen.closed = {}
    process.send({})
  }
})
