import { encodeFrame } from '@sallyport/protocol'
import type { Attempt } from './attempt.js'
import { withoutCookie } from './handshake.js'
import { mask } from './mask.js'
import type { BareVisit, Visit } from './visit.js'

/** Knocks without any credential, then says the first message. */
export async function enterByMessage(attempt: Attempt): Promise<BareVisit> {
  attempt.wire.note('By another name of this computer, for which you hold no cookie')
  const visit = attempt.knock({}, withoutCookie())
  await visit.opened
  authenticate(visit, attempt.account.token)
  return visit
}

/** Says the first message. Said again inside, it renews the connection. */
export function authenticate({ say }: Visit, token: string): void {
  say(encodeFrame({ type: 'auth', token }), encodeFrame({ type: 'auth', token: mask(token) }))
}
