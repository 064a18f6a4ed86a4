import type { SignedIn } from './account.js'
import type { Answer } from './answer.js'
import * as api from './api.js'
import type { ShowDoors } from './doors.js'
import { handshake, here, type Presented } from './handshake.js'
import { mask } from './mask.js'
import { knockFromOpaqueOrigin } from './opaque-visit.js'
import { clockFace } from './time.js'
import { type BareVisit, knock, type Stage, type Visit } from './visit.js'
import type { Wire } from './wire.js'

const shortSeconds = 30

/** One run of a card, from a click to its end: connecting, or an attack. The next click ends it. */
export class Attempt implements Stage {
  readonly signal: AbortSignal
  readonly #end = new AbortController()
  readonly #visits: Visit[] = []
  #showCount: (left: string) => void = () => {}

  constructor(
    readonly account: SignedIn,
    readonly wire: Wire,
    readonly doors: ShowDoors,
  ) {
    this.signal = this.#end.signal
    wire.restart()
  }

  /** Stops watching and closes what is still open. */
  end(): void {
    this.#end.abort()
    for (const visit of this.#visits) visit.leave()
  }

  /** Shows what is left of a wait beside the diagram too. */
  onCount(show: (left: string) => void): void {
    this.#showCount = show
  }

  /** Knocks at `base`, this server unless told otherwise, with these credentials. */
  knock(presented: Presented, base = here()): BareVisit {
    this.signal.throwIfAborted()
    return this.watch(knock(handshake(base, presented), this))
  }

  /** Sees to it that a visit ends with the attempt. */
  watch<V extends Visit>(visit: V): V {
    this.#visits.push(visit)
    return visit
  }

  /** Knocks from a sandboxed frame, for which browsers send `Origin: null`. */
  async knockFromOpaqueOrigin(presented: Presented): Promise<Answer> {
    this.signal.throwIfAborted()
    return knockFromOpaqueOrigin(handshake(here(), presented), this)
  }

  /** Trades the token for a ticket. */
  async takeTicket(): Promise<string> {
    this.wire.sent('POST /ws/ticket', `Authorization: Bearer ${mask(this.account.token)}`)
    const { ticket, expiresIn } = await api.takeTicket(this.account.token)
    this.signal.throwIfAborted()
    this.wire.received('201 Created', 'plain', `{"ticket":"${mask(ticket)}","expiresIn":${expiresIn}}`)
    return ticket
  }

  /** Signs in again for a token of 30 seconds: query tokens must be short. */
  takeShortToken(user?: string): Promise<string> {
    return this.takeToken(shortSeconds, user)
  }

  /** Signs in for another token: in the same session, or as somebody else, whose cookie is dropped. */
  async takeToken(seconds: number, user = this.account.user): Promise<string> {
    this.wire.sent('POST /login', JSON.stringify({ user, expiresIn: seconds }))
    const { token, expiresIn } = await api.login(user, seconds, user === this.account.user ? 'same-origin' : 'omit')
    this.signal.throwIfAborted()
    this.wire.received('200 OK', 'plain', `{"token":"${mask(token)}","expiresIn":${expiresIn}}`)
    return token
  }

  /** Waits, with the seconds that are left in sight. */
  wait(seconds: number, text: string): Promise<void> {
    const count = this.wire.note(text)
    const until = performance.now() + seconds * 1000
    return new Promise((resolve) => {
      const tick = () => {
        const left = (until - performance.now()) / 1000
        count(clockFace(left))
        this.#showCount(left > 0 ? clockFace(left) : '')
        if (left > 0 && !this.signal.aborted) return
        clearInterval(timer)
        if (!this.signal.aborted) resolve()
      }
      const timer = setInterval(tick, 200)
      tick()
    })
  }
}
