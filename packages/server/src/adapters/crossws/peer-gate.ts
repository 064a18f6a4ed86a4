import type { Duplex } from 'node:stream'
import type { Gate, Receiver, SendGuard } from '../../connections/accepted-socket.js'
import type { CloseListener } from '../../connections/transport.js'
import type { Dialect, WireMessage } from '../../dialects/dialect.js'
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
const maxRest = 65_536

/**
 * A peer whose messages come to us first. They are dropped until somebody says what becomes of them, and for ever once the
 * gate is shut. While it is shut, and before anybody looks after what is sent, nothing is.
 */
class PeerGate<M extends CrosswsMessage> implements Gate<M> {
  readonly dialect: Dialect
  readonly deliver: (message: M) => void
  sends: SendGuard | undefined
  terminate?: () => void
  readonly #peer: CrosswsPeer
  readonly #webSocket: RuntimeWebSocket
  #receiver: Receiver<M> = nobody
  #count: ((bytes: number) => void) | undefined
  #rest = 0
  #isShut = false
  #isOurs = false
  #isClosing = false
  #isClosed = false
  #closeListener: CloseListener | undefined

  /** @param sender who sends whatever is sent to the peer */
  constructor({ peer, dialect, protocol, deliver }: PeerGateOptions<M>, sender: Pick<CrosswsPeer, 'send'>) {
    this.dialect = dialect
    this.deliver = deliver
    this.#peer = peer
    this.#webSocket = peer.websocket
    // Elsewhere that of crossws does nothing, or throws.
    if (typeof this.#webSocket.terminate === 'function') this.terminate = () => peer.terminate()
    this.#watch(sender)
    showProtocol(peer, protocol)
  }

  #watch(sender: Pick<CrosswsPeer, 'send'>): void {
    const { send } = sender
    const gate = this
    sender.send = function (...args) {
      if (!gate.#isOurs && (gate.#isShut || !gate.sends)) return undefined
      gate.sends?.beforeSend()
      if (gate.#isShut) return undefined
      const sent = Reflect.apply(send, this, args)
      gate.sends?.afterSend()
      return sent
    }
  }

  /** Keeps the peer from those whom the application sees, and tells to all of them. */
  hide(): void {
    const { peers, topics } = this.#peer
    for (const topic of [...topics]) this.#peer.unsubscribe(topic)
    peers.delete(this.#peer as never)
  }

  show(): void {
    this.#peer.peers.add(this.#peer as never)
  }

  onMessage(receiver: Receiver<M>): void {
    if (!this.#isShut) this.#receiver = receiver
  }

  /** Says who counts the bytes that come, until the answer is called. */
  onBytes(count: (bytes: number) => void): () => void {
    this.#count = count
    return () => {
      this.#count = undefined
    }
  }

  /** Takes a message of the peer. */
  take(message: M): void {
    this.#receiver.receive(message)
    if (this.#isShut) this.takeRest(message)
    else this.#count?.(sizeOf(message))
  }

  /** Takes what the peer sends when it is over. */
  protected takeRest(message: M): void {
    this.#rest += sizeOf(message)
    if (this.#rest > maxRest) this.terminate?.()
  }

  get isOpen(): boolean {
    return !this.#isClosing && !this.#isClosed && (this.#webSocket.readyState ?? open) === open
  }
  get bufferedAmount(): number {
    const { bufferedAmount = this.#webSocket.bufferedAmount ?? 0 } = this.#peer as { bufferedAmount?: number }
    return bufferedAmount
  }
  send(message: WireMessage): void {
    if (!this.isOpen) return
    this.#isOurs = true
    try {
      this.#peer.send(message)
    } finally {
      this.#isOurs = false
    }
  }
  shut(): void {
    if (this.#isShut) return
    this.#receiver = nobody
    this.#isShut = true
    this.hide()
  }
  close(code: number, reason: string): void {
    if (!this.isOpen) return
    this.#isClosing = true
    this.#peer.close(code, reason)
  }
  onClose(listener: CloseListener): void {
    this.#closeListener = listener
    if (this.#isClosed) listener.closed()
  }
  /** Tells that the peer is gone. */
  closed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#closeListener?.closed()
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
    webSocket.on('ping', () => this.sends?.afterSend())
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
  override shut(): void {
    super.shut()
    limitRest(this.#socket)
    this.#webSocket.resume()
  }
}

/** Shows the subprotocol that was selected: crossws answers the whole offer, a credential among it, where none was. */
function showProtocol(peer: CrosswsPeer, protocol = ''): void {
  const get = (target: object, name: string | symbol) => (name === 'protocol' ? protocol : Reflect.get(target, name))
  Object.defineProperty(peer, 'websocket', { value: new Proxy(peer.websocket, { get }) })
}

const nobody: Receiver<unknown> = { receive() {} }
