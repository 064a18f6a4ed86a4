import type { Identity, Verifier } from '@sallyport/server'
import { deferred } from './deferred.js'
import { verifyGood } from './guard.js'

/** A verifier that holds its answer back until it is released. */
export interface HeldVerifier {
  readonly verify: Verifier<Identity>
  /** Resolves when it has been asked. */
  readonly asked: Promise<void>
  /** How often it has been asked. */
  readonly calls: number
  release(): void
}

export function held(verify: Verifier<Identity> = verifyGood): HeldVerifier {
  const asked = deferred()
  const released = deferred()
  let calls = 0
  return {
    verify: async (credential, context) => {
      calls++
      asked.resolve()
      await released.promise
      return verify(credential, context)
    },
    asked: asked.promise,
    get calls() {
      return calls
    },
    release: () => released.resolve(),
  }
}
