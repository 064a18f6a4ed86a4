import type { Identity } from '../identity.js'
import { RevocationLog } from '../revocation/log.js'
import { type Revocation, revokes } from '../revocation/revocations.js'
import { checkedTarget, type RevocationTarget, type Target } from '../revocation/target.js'
import type { Store, StoreState } from '../stores/store.js'
import type { Clock } from '../support/clock.js'
import { kindOf } from '../support/kind-of.js'
import type { Logout } from '../verifiers/logout.js'
import type { ConnectionLife } from './life.js'
import type { LiveConnection } from './live-connection.js'
import type { Registry } from './registry.js'

/** What became of a revocation. */
export interface Revoked {
  /** How many connections of this node it ended. */
  readonly closed: number
  /** How many nodes have taken it, this one among them; 1 with the memory store. */
  readonly confirmed: number
  /** How many nodes there are. One that has died without a word counts for `life.maxStaleness`: it might be cut off only. */
  readonly nodes: number
}

/** When a credential is issued, and again when it ends. */
const clocksDiffer = 60_000

/** What revoking is built on. */
export interface RevokingOptions<I extends Identity> {
  readonly store: Store
  readonly clock: Clock
  readonly life: ConnectionLife
  /** The live connections of this node. */
  readonly registry: Registry<I>
  /** Brings those into memory that a target may mean. */
  readonly wake: (target: Target) => void
  /** Ends one of them. */
  readonly end: (connection: LiveConnection<I>, cause: Revocation) => void
  readonly onState: (state: StoreState, changed: boolean) => void
  /** Answers what another node asks. */
  readonly onQuestion: (question: string) => string | undefined
}

/** The revocations of all nodes, carried out on the live connections of this one. */
export class Revoking<I extends Identity> {
  readonly log: RevocationLog
  readonly #options: RevokingOptions<I>

  constructor(options: RevokingOptions<I>) {
    const { life } = options
    this.#options = options
    this.log = new RevocationLog({
      ...options,
      // A node may go on without news of it for so long, also with what needs no memory elsewhere.
      memory: Math.max(life.revocationMemory, life.maxStaleness) + 2 * clocksDiffer,
      maxStaleness: life.maxStaleness,
      apply: (revocation) => this.#apply(revocation),
    })
  }

  /**
   * Ends what `target` names, here at once and then on all nodes, and refuses it from now on.
   *
   * @throws TypeError when `target` names nothing exactly
   * @throws UnavailableError when the store could not take it: the other nodes learn of it when it is back
   */
  async revoke(target: RevocationTarget, reason?: string): Promise<Revoked> {
    if (reason !== undefined && typeof reason !== 'string') {
      throw new TypeError(`revoke: the reason is ${kindOf(reason)}; give a text, or none`)
    }
    const { registry, wake } = this.#options
    const named = checkedTarget(target)
    // Else those who sleep would come among the live connections while they are counted.
    wake(named)
    const before = registry.size
    const appended = this.log.revoke({ target: named, ...(reason !== undefined && { reason }) })
    const closed = before - registry.size
    const { confirmed, followers: nodes } = await appended
    return { closed, confirmed, nodes }
  }

  /**
   * Ends what an issuer says has ended: a session, and what its user holds that names no session; or all of its user's.
   *
   * @throws UnavailableError as {@link Revoking.revoke}
   */
  async logOut({ session, user, issuer, at }: Logout): Promise<void> {
    const targets: Target[] = []
    if (session !== undefined) targets.push({ session, issuer })
    if (user !== undefined) {
      const sessionless = session !== undefined && ({ sessionless: true } as const)
      targets.push({ subject: user, issuer, issuedBefore: at, ...sessionless })
    }
    await Promise.all(targets.map((target) => this.log.revoke({ target, reason: 'back-channel logout' })))
  }

  #apply(revocation: Revocation): void {
    const { registry, wake, end } = this.#options
    const { target } = revocation
    wake(target)
    // A connection is known by its id here, and by its place before it opens.
    const byId = target !== 'all' && 'connection' in target && target.connection !== undefined
    for (const connection of registry.candidates(target)) {
      if (byId || revokes(revocation, connection.accept)) end(connection, revocation)
    }
  }
}
