import type { Dialect, WireMessage } from '../../dialects/dialect.js'
import { grace } from '../../limits/lingering.js'
import { EventGate, type EventSocket } from '../fetch/event-gate.js'

/** What a gate needs of its route. */
export interface WorkerRoute {
  now(): number
  /** Looks for revocations, where nobody has done so lately. */
  look(): Promise<void> | undefined
}

// Twice in the second within which a revocation has to close.
const lookEvery = 500

/**
 * The gate of a socket in a Worker. The runtime lets a socket be touched by its own request alone, and ends the timers of a
 * request with it. So each socket has a pulse in its own request: it carries out there what others want of the socket, keeps
 * the time of its connection, and looks for revocations.
 */
export class WorkerGate extends EventGate {
  /** Called when the connection is to be looked at. */
  onDue = () => {}
  readonly #route: WorkerRoute
  #lookAt = Number.POSITIVE_INFINITY
  /** When a peer that has not answered the Close is given up. */
  #goneAt = Number.POSITIVE_INFINITY
  #isGone = false
  #wanted: (() => void)[] = []
  #ring = () => {}

  constructor(socket: EventSocket, dialect: Dialect, route: WorkerRoute) {
    super(socket, dialect)
    this.#route = route
    void this.#beat()
  }

  keep(lookAt = this.#lookAt): void {
    this.#lookAt = lookAt
    this.#ring()
  }

  /** Until the socket is gone. */
  async #beat(): Promise<void> {
    while (!this.#isGone) {
      const wait = Math.max(0, Math.min(this.#lookAt - this.#route.now(), lookEvery))
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, wait)
        this.#ring = () => {
          clearTimeout(timer)
          resolve()
        }
        if (this.#wanted.length > 0) resolve()
      })
      for (const act of this.#wanted.splice(0)) carryOut(act)
      const now = this.#route.now()
      if (this.#lookAt <= now) this.onDue()
      if (this.#goneAt <= now) this.closed()
      if (!this.#isGone) await this.#route.look()
    }
  }

  /** By what we know: another request may not even look at the socket. */
  protected override get isConnected(): boolean {
    return !this.#isGone
  }
  override get bufferedAmount(): number {
    return 0
  }
  override closed(): void {
    this.#isGone = true
    this.#ring()
    super.closed()
  }

  protected override write(message: WireMessage): void {
    this.#act(() => super.write(message))
  }
  protected override writeClose(code: number, reason: string): void {
    this.#lookAt = Number.POSITIVE_INFINITY
    // Here, because the request that closes it may end before.
    this.#goneAt = this.#route.now() + grace
    this.#act(() => super.writeClose(code, reason))
  }

  /** Does it now or, where another request wants it, on the next beat. */
  #act(act: () => void): void {
    try {
      act()
    } catch {
      this.#wanted.push(act)
      this.#ring()
    }
  }
}

/** What the socket no longer takes is lost with it. */
function carryOut(act: () => void): void {
  try {
    act()
  } catch {}
}
