import { encodeFrame, readServerFrame } from '@sallyport/protocol'
import { ask, type Credential, requireFunction, type TokenSource } from './credential.js'

/** Presents the token as the first message; the socket is open when the server says `auth_ok`. */
export function firstMessage(source: TokenSource): Credential {
  requireFunction(source)
  return () => async (attempt) => ({
    dialogue: { opening: encodeFrame({ type: 'auth', token: await ask(source, attempt) }), read },
  })
}

function read(data: unknown) {
  // Every frame of ours has this in it; looking for it first spares the application's messages a second parse.
  return typeof data === 'string' && data.includes('"auth_') ? readServerFrame(data) : undefined
}
