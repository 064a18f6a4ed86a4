import type { Clock } from '../clock.js'
import { UnavailableError } from '../errors.js'
import type { Identity } from '../identity.js'
import type { Handshake } from '../request.js'
import type { Verification, Verifier } from './verifier.js'

/**
 * Asks a verifier, and waits `timeout` milliseconds at most. A verifier that answers at once costs neither a timer nor an
 * abort signal.
 *
 * @throws UnavailableError when the time is over; the answer that comes after is dropped.
 */
export async function verifyInTime<I extends Identity>(
  verify: Verifier<I>,
  credential: string,
  { handshake, clock, timeout }: { handshake: Handshake; clock: Clock; timeout: number },
): Promise<Verification<I>> {
  let controller: AbortController | undefined
  const theController = () => {
    controller ??= new AbortController()
    return controller
  }
  const answer = verify(credential, {
    handshake,
    now: clock.now(),
    get signal() {
      return theController().signal
    },
  })
  if (!('then' in answer)) return answer
  let cancel = () => {}
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(timeout, () => {
      const error = new UnavailableError(`the verifier took longer than ${timeout} ms`)
      theController().abort(error)
      reject(error)
    })
  })
  return Promise.race([answer, late]).finally(() => cancel())
}
