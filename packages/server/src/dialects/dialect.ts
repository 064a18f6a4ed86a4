import type { CodeName } from '@sallyport/protocol'

/** How the guard speaks in the protocol of a route. */
export interface Dialect {
  /**
   * The close codes by which the clients of that protocol do what ours do (RFC 6455 section 7.4); of the others, those of
   * `codes` hold.
   */
  readonly closeCodes: Readonly<Partial<Record<CodeName, number>>>
}
