import * as attacks from './attacks.js'
import type { Attempt } from './attempt.js'
import { enterWithClient } from './client.js'
import { withoutCookie } from './handshake.js'
import type { Visit } from './visit.js'

/** A way in: what its card does. */
export interface Way {
  /** Knocks as it should be done. */
  readonly enter: (attempt: Attempt) => Promise<Visit>
  readonly attacks: readonly attacks.Attack[]
}

/** The ways that a browser has, by the name that the page gives their card. */
export const ways: Readonly<Record<string, Way>> = {
  ticket: {
    enter: async (attempt) => attempt.knock({ ticket: await attempt.takeTicket() }),
    attacks: [attacks.replayTicket, attacks.lateTicket, attacks.foreignTicket, attacks.ticketAndToken],
  },
  message: {
    async enter(attempt) {
      attempt.wire.note('By another name of this computer, for which you hold no cookie')
      const visit = attempt.knock({}, withoutCookie())
      await visit.opened
      attacks.authenticate(visit.say, attempt.account.token)
      return visit
    },
    attacks: [attacks.silence, attacks.talkFirst, attacks.forgedMessage],
  },
  cookie: {
    enter: async (attempt) => attempt.knock({ cookie: true }),
    attacks: [attacks.foreignCookie, attacks.forgedBesideCookie],
  },
  query: {
    enter: async (attempt) => attempt.knock({ token: await attempt.takeShortToken() }),
    attacks: [attacks.forgedQuery, attacks.longLivedQuery],
  },
  subprotocol: {
    enter: async (attempt) => attempt.knock({ bearer: attempt.account.token }),
    attacks: [attacks.forgedBearer, attacks.queryAndBearer],
  },
  client: { enter: enterWithClient, attacks: [] },
}
