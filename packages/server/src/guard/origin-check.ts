import { isOwnHost, type OriginPolicy } from '../handshake/origin.js'
import type { Handshake } from '../handshake/request.js'
import { andThen } from '../support/and-then.js'
import { failed, type Refuse, refuse } from '../verdict.js'

/**
 * Refuses what comes from where it may not; `undefined` when nothing is wrong. `byHeader` says that a handshake has a
 * credential in its `Authorization` header. No page can send one, so that the policy is not asked of a program: it sends
 * no `Origin`, or that of the host it calls, as React Native does. But a proxy may have made the header out of a cookie
 * of its own, which every page sends.
 */
export function checkOrigin(
  handshake: Handshake,
  origin: string | undefined,
  policy: OriginPolicy | undefined,
  byHeader: boolean,
): Refuse | undefined | Promise<Refuse | undefined> {
  if (byHeader) {
    const isOwn = origin !== undefined && isOwnHost(origin, handshake)
    if ((isOwn || origin === undefined) && !isOfBrowser(handshake, origin)) return undefined
    if (origin === undefined) return refuse('origin-missing')
    if (!policy) return isOwn ? undefined : refuse('origin-not-allowed')
  }
  if (origin === undefined || !policy) return undefined
  try {
    const checked = andThen(policy(origin, handshake), (allowed) =>
      allowed ? undefined : refuse('origin-not-allowed'),
    )
    return checked instanceof Promise ? checked.catch(failed) : checked
  } catch (error) {
    return failed(error)
  }
}

/**
 * Whether a request has Fetch metadata, which pages cannot forge and programs do not send; except for `Sec-Fetch-Mode`
 * alone, from the WebSocket of Node.js. It sends no `Origin`, and a browser always does (RFC 6455 section 4.1).
 */
const isOfBrowser = ({ headers }: Handshake, origin: string | undefined): boolean =>
  headers.some(([name]) => name.startsWith('sec-fetch-') && (origin !== undefined || name !== 'sec-fetch-mode'))
