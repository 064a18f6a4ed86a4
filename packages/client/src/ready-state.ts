/** What a `WebSocket` calls its states. In a file of their own, so that a bundler writes the numbers in their place. */
export const CONNECTING = 0
export const OPEN = 1
export const CLOSING = 2
export const CLOSED = 3
