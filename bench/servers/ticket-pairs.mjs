// Tickets with no socket around them: what the guard itself does to issue one and to redeem it.
import { createHash, randomBytes } from 'node:crypto'
import { createGuard, header, ticket } from '@sallyport/server'

const path = '/ws'
const address = '127.0.0.1'

export default function start() {
  // Whoever calls the route is known at once: tokens have rows of their own.
  const guard = createGuard({ accept: [ticket(), header({ verify: () => ({ identity: { id: 'user-1' } }) })] })
  const issuing = {
    method: 'POST',
    target: `${path}/ticket`,
    headers: [
      ['host', 'bench'],
      ['authorization', 'Bearer t'],
    ],
    address,
  }
  const headers = [
    ['host', 'bench'],
    ['connection', 'Upgrade'],
    ['upgrade', 'websocket'],
    ['sec-websocket-version', '13'],
    ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ]
  const sha256 = (text) => createHash('sha256').update(text).digest('base64url')

  return {
    /** Seconds of CPU for so many tickets, each issued and then redeemed by a handshake. */
    pairs: ({ count }) =>
      measured(async () => {
        for (let i = 0; i < count; i += 1) {
          const issued = await guard.issueTicket(issuing, path)
          const verdict = await guard.decide({
            method: 'GET',
            target: `${path}?ticket=${issued.ticket}`,
            headers,
            address,
          })
          if (verdict.type !== 'accept') throw new Error(`a fresh ticket is refused: ${verdict.reason}`)
        }
      }),

    /** The same for the cryptography of a pair: a secret, and its hash twice. */
    cryptography: ({ count }) =>
      measured(async () => {
        for (let i = 0; i < count; i += 1) {
          const secret = randomBytes(32).toString('base64url')
          const issued = sha256(secret)
          const redeemed = sha256(secret)
          if (issued !== redeemed) throw new Error('two hashes of the same differ')
        }
      }),
  }
}

async function measured(act) {
  const before = process.cpuUsage()
  await act()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}
