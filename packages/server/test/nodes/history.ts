/** What happened to a ticket. */
interface TicketStory {
  readonly winners: number
}

/** What happened to a connection whose session was revoked. */
interface RevokedStory {
  readonly node: number
  /** When a node answered that it was revoked; the times are in milliseconds since the epoch. */
  readonly revokedAt: number
  /** When the last frame was sent that came back. */
  readonly lastEcho: number
}

/** When what could not be reached: a node, or the store for all of them. */
export interface Fault {
  readonly name: string
  readonly node: number | 'all'
  readonly from: number
  to: number
}

/** What the runner has seen. */
export interface History {
  readonly tickets: TicketStory[]
  readonly revoked: RevokedStory[]
  readonly faults: Fault[]
  /** Answers that nobody should have got, in words. */
  readonly surprises: string[]
}

/** Every frame that came back later than a second after its revocation, when nothing was broken for its node, in words. */
export function lateFrames({ revoked, faults }: History): string[] {
  return revoked.flatMap(({ node, revokedAt, lastEcho }) => {
    const concerned = faults.filter((fault) => fault.node === node || fault.node === 'all')
    const inFault = concerned.find(({ from, to }) => from <= lastEcho && lastEcho <= to)
    const lastFault = Math.max(revokedAt, ...concerned.filter(({ to }) => to < lastEcho).map(({ to }) => to))
    const late = lastEcho - lastFault
    if (inFault || late <= 1_000) return []
    return [`${late} ms after it, on node ${node}, sent ${lastEcho - revokedAt} ms after the revocation`]
  })
}
