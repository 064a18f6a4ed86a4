// crossws on Node.js: open to everybody, by hand in its upgrade hook, or with the guard.
import { createServer } from 'node:http'
import { guardedWebSocket } from '@sallyport/server/crossws'
import crossws from 'crossws/adapters/node'
import { bearerByHand } from './by-hand.mjs'
import { headerGuard } from './header-guard.mjs'

const message = (peer, message) => void peer.send(message.text())

export default function start({ keys, way }) {
  const { handleUpgrade } = crossws({ hooks: hooksOf(way, keys) })
  return { server: createServer().on('upgrade', handleUpgrade) }
}

function hooksOf(way, keys) {
  if (way === 'guard') return guardedWebSocket(headerGuard(keys), { message })
  if (way !== 'hand') return { message }
  const verify = bearerByHand(keys)
  const upgrade = ({ headers }) => {
    try {
      verify(headers.get('authorization'))
    } catch {
      throw new Response('Unauthorized', { status: 401 })
    }
  }
  return { upgrade, message }
}
