import { base64url, encodeFrame, readServerFrame, type ServerFrame } from '@sallyport/protocol'
import { ask, type Credential, type Dialogue, requireFunction, type TokenSource } from './credential.js'

/** Presents the token as the first message; the socket is open when the server says `auth_ok`. */
export function firstMessage(source: TokenSource): Credential {
  requireFunction(source)
  return ({ random }) =>
    async (attempt) => ({ dialogue: dialogue(await ask(source, attempt), newNonce(random)) })
}

/**
 * The frames of one connection. The application may relay what other users write, so after the first answer, before which
 * nothing of theirs can cross, only what says our nonce is the server's. One that does not know nonces is believed as far
 * as a forgery does no harm: one answer to each frame of ours. At worst that costs a renewal, and the socket reconnects.
 */
function dialogue(opening: string, nonce: string): Dialogue {
  let saysNonce: boolean | undefined
  let isAsked = true
  let accepted = false

  function isOurs(frame: ServerFrame): boolean {
    const isAnswer = frame.type !== 'auth_expiring'
    if (isAnswer) saysNonce ??= frame.nonce === nonce
    if (saysNonce) return frame.nonce === nonce
    const isDue = isAnswer && isAsked
    if (isDue) isAsked = false
    return isDue
  }

  function read(data: unknown): ServerFrame | undefined {
    // Every frame of ours has this in it; looking for it first spares the application's messages a second parse.
    const frame = typeof data === 'string' && data.includes('"auth_') && readServerFrame(data)
    return frame && isOurs(frame) ? frame : undefined
  }

  const write = (token: string) => encodeFrame({ type: 'auth', token, nonce })
  const self: Dialogue = {
    opening: write(opening),
    renewal(token) {
      isAsked = true
      return write(token)
    },
    hear(data, accept) {
      const frame = read(data)
      if (!frame) return false
      if (accepted) self.onframe?.(frame)
      else if (frame.type === 'auth_ok') {
        accepted = true
        const { type, nonce, ...authentication } = frame
        accept(authentication)
      }
      return true
    },
  }
  return self
}

/** React Native has no `crypto` of its own. Its random numbers will do: nobody sees them, and every guess is a message. */
function newNonce(random: () => number): string {
  const bytes = new Uint8Array(16)
  return base64url(globalThis.crypto?.getRandomValues(bytes) ?? bytes.map(() => random() * 256))
}
