/** How long connections live. All in milliseconds. */
export interface ConnectionLife {
  /** How long after the end of its credential a connection is closed. Default 5,000, at most 60,000. */
  readonly leeway: number
  /** How long before the end of its credential a connection that speaks the frames is told. Default 60,000. */
  readonly notice: number
  /** How long a connection lives at most, however often it is renewed. Default 86,400,000: a day. */
  readonly maxAge: number
  /**
   * How long a revocation is remembered. A credential that could outlive it is refused (`credential-lifetime`), unless it is
   * looked up anew each time. Default: as long as the longest that the verifiers of the guard let in could live, which is
   * the `maxLifetime` of a `jwt`, and 30 days of others.
   */
  readonly revocationMemory: number
  /**
   * How long connections live on, and credentials are accepted, by the revocations that are known while the store is out
   * of reach; then 1013 and 503. Default 300,000: five minutes; less than 2,000 counts as that. So long a connection lives
   * on, too, whose credential nobody can look up again.
   */
  readonly maxStaleness: number
  /**
   * How often the credential of a live connection is looked up again, 1,000 at least; it is kept in memory for that. Only
   * what was looked up: by `session`, by `introspection`, and by verifiers of yours that answer `lookedUpAt`. One that is
   * bad by now ends the connection with 4010, one that has expired with 4019; a newer end prolongs it. Default 0: never.
   */
  readonly recheck: number
  /**
   * How often a peer is pinged, so that proxies do not end a quiet connection, 1,000 at least and up to a second late. One
   * that does not answer two pings is gone: its connection ends within twice that time. 0: never. Default 30,000.
   */
  readonly heartbeat: number
}
