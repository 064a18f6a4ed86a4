import { type Attempt, firstMessage, type GuardedSocketOptions, renewal, type TokenSource } from '@sallyport/client'
import { encodeFrame } from '@sallyport/protocol'
import { settled, start } from './fakes.js'

export const authFail = encodeFrame({ type: 'auth_fail' })
export const authExpiring = (expiresIn: number) => encodeFrame({ type: 'auth_expiring', expiresIn })
export const authOk = (expiresIn?: number) =>
  encodeFrame({ type: 'auth_ok', userId: 'ada', connection: 'c1', ...(expiresIn !== undefined && { expiresIn }) })

/** A socket that authenticates by first message with `t0`, and is asked for `t1`, `t2`, … when it renews. */
export async function renewing(
  expiresIn?: number,
  options: Partial<GuardedSocketOptions> & { source?: TokenSource } = {},
) {
  const attempts: Attempt[] = []
  const source: TokenSource = (attempt) => {
    attempts.push(attempt)
    return options.source ? options.source(attempt) : `t${attempts.length}`
  }
  const started = start({ credential: firstMessage(() => 't0'), renew: renewal(source), ...options })
  /** Lets the attempt under way succeed, with a credential of so many seconds. */
  const accept = async (seconds?: number) => {
    await started.open()
    started.current().receive(authOk(seconds))
    await settled()
  }
  /** The tokens on the wire of the newest connection. */
  const tokens = () =>
    started
      .current()
      .sent.map(String)
      .filter((text) => text.includes('"auth"'))
      .map((text) => (JSON.parse(text) as { token: string }).token)
  await accept(expiresIn)
  return { ...started, accept, attempts, tokens }
}
