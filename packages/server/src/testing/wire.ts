import { Duplex } from 'node:stream'

/** One end of a wire without a network, with as much of a TCP socket as Node's HTTP server and ws look at. */
export class WireEnd extends Duplex {
  readonly remoteAddress: string
  bytesRead = 0
  #other: WireEnd | undefined
  #taken: (() => void) | undefined
  #loses = false

  constructor(remoteAddress: string) {
    super({ allowHalfOpen: true })
    this.remoteAddress = remoteAddress
  }

  /** Two ends: what is written to one is read from the other. The server's end sees the client at `address`. */
  static pair(address: string): [client: WireEnd, server: WireEnd] {
    const client = new WireEnd('192.0.2.1')
    const server = new WireEnd(address)
    client.#other = server
    server.#other = client
    return [client, server]
  }

  override _read(): void {
    // The writer may go on at once, and wait again.
    const taken = this.#taken
    this.#taken = undefined
    taken?.()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    const other = this.#other
    // What is lost is sent all the same, and so is what goes to an end whose reset was lost.
    if (this.#loses || (other?.destroyed && other.#loses)) {
      done()
      return
    }
    if (!other || other.destroyed) {
      done(reset())
      return
    }
    other.bytesRead += chunk.length
    // The writer waits until the reader has room.
    if (other.push(chunk)) done()
    else other.#taken = done
  }

  override _final(done: () => void): void {
    if (!this.#loses) this.#other?.push(null)
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const other = this.#other
    this.#other = undefined
    done(error)
    if (other && !other.destroyed && !this.#loses) queueMicrotask(() => other.destroy(error ?? undefined))
  }

  /** Ends both ends as a broken cable does: no FIN, no Close, an error. */
  cut(): void {
    const other = this.#other
    this.destroy(reset())
    other?.destroy(reset())
  }

  /** Lets what is sent from here vanish from now on, and the end of this side with it. */
  lose(): void {
    this.#loses = true
  }
}

const reset = () => Object.assign(new Error('The network was dropped'), { code: 'ECONNRESET' })
