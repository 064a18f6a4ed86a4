import type { SocketOptions } from '../../connections/socket-options.js'
import type { ParamsOf, RoutePath } from '../../handshake/path.js'
import type { Identity } from '../../identity.js'
import type { RoutesOptions } from '../../routes.js'
import type { Admit } from '../../verifiers/admit.js'

/** Options of a guarded route that is served by fetch requests; `M` is a message as the runtime hands it on. */
export interface FetchRouteOptions<I extends Identity, P extends RoutePath, M>
  extends SocketOptions<I, M>,
    Omit<RoutesOptions, 'path'> {
  /**
   * The paths that the guard owns. One, such as `/ws`, compared exactly; a pattern such as `/yjs/:room`, whose parameters
   * are one segment each, decoded; or a function that answers the parameters of a path, `undefined` when it is none of the
   * route's.
   */
  readonly path: P
  /**
   * Says whether who it is may connect here, once that is known, in as much time as a verifier has: `false` or
   * `{ reason }`, which events tell, is 403 or Close 4003. Default: everybody may.
   */
  readonly admit?: Admit<I, ParamsOf<P>>
}
