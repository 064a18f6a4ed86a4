/** The first thing that the application says to whom the guard has let in. */
export interface Welcome {
  readonly type: 'welcome'
  readonly userId: string
  readonly method: string
}

/** How a connection ended, as far as a browser may know. */
export interface Ended {
  readonly type: 'ended'
  /** The close code; 1006 for whatever has none, a refused upgrade among them. */
  readonly code: number
  readonly reason: string
  /** Whether there was a 101. */
  readonly upgraded: boolean
}

/** What came of knocking. A socket's `open` is neither: it says that there is a socket, not that the guard accepted it. */
export type Answer = Welcome | Ended
