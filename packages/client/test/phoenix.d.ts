/** The part that the tests use; the package has no types. */
declare module 'phoenix' {
  export class Socket {
    constructor(url: string, options: { transport: typeof WebSocket; reconnectAfterMs: () => number })
    connect(): void
    disconnect(): void
    channel(topic: string): { join(): { receive(status: 'ok', callback: (response: unknown) => void): unknown } }
  }
}
