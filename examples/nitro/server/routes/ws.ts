import { connectionOf, guardedWebSocket } from '@sallyport/server/crossws'
import { defineWebSocketHandler } from 'h3'
import { guard } from '../../../shared/guard.js'

export default defineWebSocketHandler(
  guardedWebSocket(guard, {
    open(peer) {
      const { identity, method } = connectionOf(guard, peer)
      peer.send({ type: 'welcome', userId: identity.id, method })
    },
    message: (peer, message) => peer.send({ type: 'echo', data: message.text() }),
  }),
)
