import type { Handshake } from '../handshake/request.js'
import { isPromise } from '../support/and-then.js'
import type { Clock } from '../support/clock.js'
import { UnavailableError } from '../support/errors.js'
import { within } from '../support/within.js'
import type { VerifyContext } from './verifier.js'

/**
 * Asks a verifier, and waits `timeout` milliseconds at most. A verifier that answers at once costs neither a timer nor an
 * abort signal.
 *
 * Throws what the verifier throws, and `UnavailableError` when the time is over; the answer that comes after is dropped.
 */
export function verifyInTime<V>(
  verify: (credential: string, context: VerifyContext) => V | Promise<V>,
  credential: string,
  { handshake, clock, timeout }: { handshake: Handshake; clock: Clock; timeout: number },
): V | Promise<V> {
  const context = new Context(handshake, clock.now())
  const answer = verify(credential, context)
  if (!isPromise(answer)) return answer
  return within(answer, timeout, clock, () => {
    const error = new UnavailableError(`the verifier took longer than ${timeout} ms`)
    context.abort(error)
    return error
  })
}

/** What a verifier may look at. The signal is made for those who look at it. */
class Context implements VerifyContext {
  #controller: AbortController | undefined

  constructor(
    readonly handshake: Handshake,
    readonly now: number,
  ) {}

  get signal(): AbortSignal {
    return this.#theController.signal
  }

  abort(error: Error): void {
    this.#theController.abort(error)
  }

  get #theController(): AbortController {
    this.#controller ??= new AbortController()
    return this.#controller
  }
}
