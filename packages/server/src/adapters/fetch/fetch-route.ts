import type { AcceptedSocketOptions } from '../../connections/accepted-socket.js'
import { liveConnections } from '../../connections/of-guard.js'
import { checkedSocketOptions } from '../../connections/socket-options.js'
import type { Wire } from '../../connections/wire.js'
import type { Dialect } from '../../dialects/dialect.js'
import { checkedGuard, type Guard } from '../../guard/guard.js'
import { type PathReader, pathReader, type RoutePath } from '../../handshake/path.js'
import { fromFetch, type Handshake, type PathParams, readTarget } from '../../handshake/request.js'
import { asksForWebSocket } from '../../handshake/upgrade.js'
import type { Identity } from '../../identity.js'
import { type Look, type Routes, routesOf } from '../../routes.js'
import { andThen } from '../../support/and-then.js'
import type { Verdict } from '../../verdict.js'
import { type Admit, checkedAdmit } from '../../verifiers/admit.js'
import { Passage } from './passage.js'
import { refusalResponse } from './refusal.js'
import type { FetchRouteOptions } from './route-options.js'

/** Asks the runtime to complete a handshake, and tells the passage when the socket is open. `undefined`: the client is gone. */
export type Complete<I extends Identity, M> = (
  passage: Passage<I, M>,
  protocol: string | undefined,
) => Response | undefined

type Answer = Response | undefined

/** A guarded route on a runtime that serves fetch requests, from a request to an answer or to a socket on its way. */
export class FetchRoute<I extends Identity, M> {
  /** What becomes of the messages of its accepted sockets. */
  readonly messages: AcceptedSocketOptions<I, M>
  readonly dialect: Dialect
  readonly #guard: Guard<I>
  readonly #admit: Admit<I> | undefined
  readonly #routes: Routes
  readonly #read: PathReader
  readonly #look: Look | undefined

  /**
   * @param look there where nothing looks for revocations in the background
   * @throws ConfigurationError in the name of `owner`, when an option cannot work
   */
  constructor(owner: string, guard: Guard<I>, options: FetchRouteOptions<I, RoutePath, M>, wire: Wire<M>, look?: Look) {
    const { clock } = checkedGuard(owner, guard)
    const { dialect, ...messages } = checkedSocketOptions(owner, options)
    const connections = liveConnections(guard)
    this.messages = { ...messages, connections, clock, wire }
    this.dialect = dialect
    this.#guard = guard
    this.#admit = checkedAdmit(owner, options.admit)
    this.#read = pathReader(owner, options.path)
    this.#routes = routesOf(guard, options, look)
    this.#look = look
  }

  /**
   * Answers a request that is for the route, or for one of those behind it: at once where nobody has to be waited for.
   * `undefined`: it is for neither.
   *
   * @param address the peer's, where the runtime tells it
   */
  fetch(request: Request, address: string | undefined, complete: Complete<I, M>): Answer | Promise<Answer> {
    // Most ask for none, and are not read twice.
    if (!request.headers.has('upgrade')) return this.#routes.fetch(request, address)
    const handshake = fromFetch(request, address)
    if (!asksForWebSocket(handshake)) return this.#routes.fetch(request, address)
    const path = readTarget(handshake.target)?.path
    let params: PathParams | undefined
    try {
      params = path === undefined ? undefined : this.#read(path)
    } catch (error) {
      return refusalResponse(this.#guard.refuse(handshake, 'internal-error', error))
    }
    // What is no path belongs to nobody: any guard refuses it, and tells of it.
    if (!params && path !== undefined) return undefined
    return this.#decide({ ...handshake, params: params ?? {} }, complete)
  }

  #decide(handshake: Handshake, complete: Complete<I, M>): Answer | Promise<Answer> {
    const guard = this.#guard
    const place = guard.enter(handshake)
    if ('reason' in place) return refusalResponse(place)
    const passage = new Passage<I, M>(guard, this.#admit, { handshake, place })
    const fail = (error: unknown) => {
      passage.giveUp()
      return refusalResponse(guard.refuse(handshake, 'internal-error', error))
    }
    try {
      const decide = () => guard.decide(handshake, this.#admit)
      const verdict = this.#look ? andThen(this.#look(), decide) : decide()
      const answer = andThen(verdict, (known) => follow(known, passage, complete))
      return answer instanceof Promise ? answer.catch(fail) : answer
    } catch (error) {
      return fail(error)
    }
  }
}

function follow<I extends Identity, M>(verdict: Verdict<I>, passage: Passage<I, M>, complete: Complete<I, M>): Answer {
  if (verdict.type === 'refuse' && verdict.by === 'status') {
    passage.giveUp()
    return refusalResponse(verdict)
  }
  passage.decided(verdict)
  const response = complete(passage, verdict.protocol)
  if (response) passage.expect()
  else passage.giveUp()
  // Nobody is there to read it.
  return response ?? new Response(null)
}
