import * as attacks from './attacks.js'
import type { Attempt } from './attempt.js'
import { enterWithClient } from './client.js'
import { authenticate, enterByMessage } from './first-message.js'
import type { Visit } from './visit.js'

/** A way in: what its card does. */
export interface Way {
  /** Knocks as it should be done. */
  readonly enter: (attempt: Attempt) => Promise<Visit>
  /** Lets whoever is inside stay longer, where the way in has words for it. */
  readonly renew?: (attempt: Attempt, visit: Visit) => Promise<void>
  readonly attacks: readonly attacks.Attack[]
}

const renewedSeconds = 3600

/** The ways that a browser has, by the name that the page gives their card. */
export const ways: Readonly<Record<string, Way>> = {
  ticket: {
    enter: async (attempt) => attempt.knock({ ticket: await attempt.takeTicket() }),
    attacks: [attacks.replayTicket, attacks.lateTicket, attacks.foreignTicket, attacks.ticketAndToken],
  },
  message: {
    enter: enterByMessage,
    async renew(attempt, visit) {
      authenticate(visit, await attempt.takeToken(renewedSeconds))
    },
    attacks: [attacks.silence, attacks.talkFirst, attacks.forgedMessage, attacks.renewAsOther],
  },
  cookie: {
    enter: async (attempt) => attempt.knock({ cookie: true }),
    attacks: [attacks.foreignCookie, attacks.forgedBesideCookie],
  },
  query: {
    enter: async (attempt) => attempt.knock({ token: await attempt.takeShortToken() }),
    attacks: [attacks.forgedQuery, attacks.longLivedQuery, attacks.outliveToken],
  },
  subprotocol: {
    enter: async (attempt) => attempt.knock({ bearer: attempt.account.token }),
    attacks: [attacks.forgedBearer, attacks.queryAndBearer],
  },
  client: {
    enter: async (attempt) => enterWithClient(attempt, () => attempt.account.token),
    attacks: [attacks.outliveClient],
  },
}
