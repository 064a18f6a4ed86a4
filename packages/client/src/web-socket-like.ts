/** What a WebSocket sends. */
export type Sendable = string | Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer>

/** The part of a WebSocket that is used: a browser's, React Native's, Node's, and that of `ws` have it. */
export interface WebSocketLike {
  readonly url?: string
  readonly readyState: number
  readonly protocol: string
  readonly extensions: string
  readonly bufferedAmount: number
  binaryType: string
  send(data: Sendable): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'open', listener: () => void): void
  addEventListener(type: 'error', listener: (event: { error?: unknown }) => void): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { code: number; reason: string; wasClean: boolean }) => void): void
  /** `ws` alone shows the answer of a refused upgrade. */
  on?(event: 'unexpected-response', listener: (request: unknown, response: RefusedUpgrade) => void): unknown
  on?(event: 'ping', listener: () => void): unknown
}

/** The answer of a refused upgrade, as `ws` shows it. */
export interface RefusedUpgrade {
  readonly statusCode?: number | undefined
  readonly headers: { readonly 'retry-after'?: string | undefined }
}

/** A WebSocket class. */
export interface WebSocketConstructor {
  new (url: string, protocols?: string | string[]): WebSocketLike
  readonly prototype: object
}
