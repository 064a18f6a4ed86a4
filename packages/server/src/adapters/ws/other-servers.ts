import type { Server } from 'node:http'
import type { WebSocketServer } from 'ws'
import { checkedObject } from '../../support/checked-kind.js'
import { ConfigurationError } from '../../support/errors.js'

/**
 * Refuses a `WebSocketServer` whose sockets we could not gate.
 *
 * @throws ConfigurationError when it upgrades by itself, or is of ws 7 or older, which knows no class but its own
 */
export function checkWebSocketServer(webSocketServer: WebSocketServer): void {
  checkedObject('guardServer', 'webSocketServer', webSocketServer, 'a WebSocketServer of ws', 'handleUpgrade')
  const { options } = webSocketServer
  if (!options.noServer) {
    throw new ConfigurationError(
      'web-socket-server',
      'guardServer: make your WebSocketServer with { noServer: true }; the guard upgrades',
    )
  }
  // Every server of ws 8 says which class its sockets are of.
  if (typeof options.WebSocket !== 'function') {
    throw new ConfigurationError(
      'ws-version',
      'guardServer: webSocketServer is of an old version of ws, whose sockets cannot be guarded; make it with ws 8.21 or later',
    )
  }
}

const told = new WeakSet<Server>()

/**
 * Warns, once for each server, of a `WebSocketServer` that upgrades there by itself: it takes every path that is not
 * guarded, and nobody authenticates its sockets.
 *
 * @returns a function that ends the watch
 */
export function warnOfOthers(server: Server): () => void {
  function look(event: string | symbol, listener: unknown): void {
    if (event !== 'upgrade' || !isWebSocketServer(listener) || told.has(server)) return
    told.add(server)
    process.emitWarning(
      'A WebSocketServer made with { server } stands beside guardServer. It upgrades what comes to other paths, and no ' +
        'guard authenticates that. Make it with { noServer: true } and give it to guardServer as webSocketServer.',
    )
  }

  for (const listener of server.listeners('upgrade')) look('upgrade', listener)
  server.on('newListener', look)
  return () => server.off('newListener', look)
}

/** Whether it is the listener of a ws server: a method of its own by name, which hands on to the server. */
const isWebSocketServer = (listener: unknown): boolean =>
  typeof listener === 'function' && listener.name === 'upgrade' && String(listener).includes('this.handleUpgrade(')
