import type { Duplex } from 'node:stream'
import type { Dialect, WireMessage } from '../../dialects/dialect.js'
import { SocketGate } from '../fetch/socket-gate.js'
import { limitRest } from '../node/rest.js'
import { type CrosswsMessage, type CrosswsPeer, sizeOf } from './peer.js'

/** What the WebSocket of a peer may have, depending on the runtime. */
interface RuntimeWebSocket {
  readonly readyState?: number
  readonly bufferedAmount?: number
  readonly terminate?: () => void
}

/** That of Node.js, which is one of ws. */
interface NodeWebSocket extends RuntimeWebSocket {
  readonly _socket: Duplex
  send(...args: unknown[]): void
  pause(): void
  resume(): void
  on(event: 'ping', listener: () => void): void
}

/** What a gate is made of. */
export interface PeerGateOptions<M> {
  readonly peer: CrosswsPeer
  readonly dialect: Dialect
  /** The subprotocol that was selected. */
  readonly protocol: string | undefined
  /** Gives the application a message. */
  readonly deliver: (message: M) => void
}

/** The gate of a peer, by what its runtime can do. */
export function gateOf<M extends CrosswsMessage>(options: PeerGateOptions<M>): PeerGate<M> {
  const webSocket = options.peer.websocket as Partial<NodeWebSocket>
  const isNode = webSocket._socket !== undefined && typeof webSocket.pause === 'function'
  return isNode ? new NodePeerGate(options, webSocket as NodeWebSocket) : new PeerGate(options, options.peer)
}

const open = 1

/** The gate of a peer. Until it is shown, and once it is shut, the application finds it nowhere. */
class PeerGate<M extends CrosswsMessage> extends SocketGate<M> {
  readonly #deliver: (message: M) => void
  readonly #peer: CrosswsPeer
  readonly #webSocket: RuntimeWebSocket
  #isOurs = false

  /** @param sender who sends whatever is sent to the peer */
  constructor({ peer, dialect, protocol, deliver }: PeerGateOptions<M>, sender: Pick<CrosswsPeer, 'send'>) {
    super(dialect)
    this.#deliver = deliver
    this.#peer = peer
    this.#webSocket = peer.websocket
    // Elsewhere that of crossws does nothing, or throws.
    if (typeof this.#webSocket.terminate === 'function') this.terminate = () => peer.terminate()
    this.#watch(sender)
    this.#hide()
    showProtocol(peer, protocol)
  }

  #watch(sender: Pick<CrosswsPeer, 'send'>): void {
    const { send } = sender
    const gate = this
    sender.send = function (...args) {
      if (gate.#isOurs) return Reflect.apply(send, this, args)
      if (!gate.maySend()) return undefined
      const sent = Reflect.apply(send, this, args)
      gate.hasSent()
      return sent
    }
  }

  /** Keeps the peer from those whom the application sees, and tells to all of them. */
  #hide(): void {
    const { peers, topics } = this.#peer
    for (const topic of [...topics]) this.#peer.unsubscribe(topic)
    peers.delete(this.#peer as never)
  }

  show(): void {
    this.#peer.peers.add(this.#peer as never)
  }

  deliver(message: M): void {
    this.#deliver(message)
  }
  protected get isConnected(): boolean {
    return (this.#webSocket.readyState ?? open) === open
  }
  get bufferedAmount(): number {
    const { bufferedAmount = this.#webSocket.bufferedAmount ?? 0 } = this.#peer as { bufferedAmount?: number }
    return bufferedAmount
  }
  protected sizeOf(message: M): number {
    return sizeOf(message)
  }
  protected write(message: WireMessage): void {
    this.#isOurs = true
    try {
      this.#peer.send(message)
    } finally {
      this.#isOurs = false
    }
  }
  protected writeClose(code: number, reason: string): void {
    this.#peer.close(code, reason)
  }
  protected override whenShut(): void {
    this.#hide()
  }
}

export type { PeerGate }

/** The gate of a peer of Node.js, where reading can be stopped and each byte is counted. */
class NodePeerGate<M extends CrosswsMessage> extends PeerGate<M> {
  readonly #webSocket: NodeWebSocket
  readonly #socket: Duplex

  constructor(options: PeerGateOptions<M>, webSocket: NodeWebSocket) {
    // What is published goes by it too.
    super(options, webSocket)
    this.#webSocket = webSocket
    this.#socket = webSocket._socket
    // The pong waits to be sent, too.
    webSocket.on('ping', () => this.hasSent())
  }

  override onBytes(count: (bytes: number) => void): () => void {
    const onData = (chunk: Buffer) => count(chunk.length)
    // Behind the listener of ws, so that a credential in this very chunk has been seen.
    this.#socket.on('data', onData)
    return () => this.#socket.off('data', onData)
  }

  protected override takeRest(): void {}

  pause(): void {
    this.#webSocket.pause()
  }
  resume(): void {
    this.#webSocket.resume()
  }
  protected override whenShut(): void {
    super.whenShut()
    limitRest(this.#socket)
    this.#webSocket.resume()
  }
}

/** Shows the subprotocol that was selected: crossws answers the whole offer, a credential among it, where none was. */
function showProtocol(peer: CrosswsPeer, protocol = ''): void {
  const get = (target: object, name: string | symbol) => (name === 'protocol' ? protocol : Reflect.get(target, name))
  Object.defineProperty(peer, 'websocket', { value: new Proxy(peer.websocket, { get }) })
}
