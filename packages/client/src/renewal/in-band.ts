import { ask, CredentialError, type TokenSource } from '../credentials/credential.js'
import type { Renewal } from '../live.js'
import { unusable } from '../outcome.js'
import { keepFresh } from './keep-fresh.js'

/** Renews by another `auth` frame on the connection itself. */
export function inBand(source: TokenSource): Renewal {
  return (host) => (live) => {
    const { authentication, dialogue, socket } = live
    if (!dialogue) {
      const cause = new TypeError('renewal(getToken) needs firstMessage(): pass a URL')
      live.end(unusable(cause))
      return
    }
    let answer = (_error?: CredentialError) => {}
    const freshness = keepFresh(host, live, async (attempt) => {
      const token = await ask(source, attempt)
      // It came too late, or belongs to a connection that is no more, and maybe to another account.
      if (attempt.signal.aborted) return
      const answered = new Promise<void>((resolve, reject) => {
        answer = (error) => (error ? reject(error) : resolve())
      })
      socket.send(dialogue.renewal(token))
      await answered
    })
    dialogue.onframe = (frame) => {
      if (frame.type === 'auth_expiring') freshness.ending(frame.expiresIn)
      if (frame.type === 'auth_fail') answer(new CredentialError('The renewal was refused', { status: 401 }))
      if (frame.type === 'auth_ok') {
        freshness.granted(frame.expiresIn)
        answer()
      }
    }
    freshness.granted(authentication.expiresIn)
  }
}
