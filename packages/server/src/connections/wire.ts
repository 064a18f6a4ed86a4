import type { WireMessage } from '../dialects/dialect.js'

/** How the messages of an adapter are looked at, read and written. */
export interface Wire<M> {
  /** How many bytes it has. */
  sizeOf(message: M): number
  /** Whether it is a text with `mark`, which is ASCII, in it: a look that costs less than reading it. */
  has(message: M, mark: string): boolean
  read(message: M): WireMessage
  write(message: WireMessage): M
}
