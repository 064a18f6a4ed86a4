import { codes, encodeFrame } from '@sallyport/protocol'
import type { Attempt } from './attempt.js'
import { withoutCookie } from './handshake.js'
import { type Expected, judge, type Outcome } from './judge.js'
import { mask } from './mask.js'

/** A way to try to get past the guard. */
export interface Attack {
  readonly title: string
  /** What should happen. */
  readonly should: string
  run(attempt: Attempt): Promise<Outcome>
}

const authenticationFailed: Expected = { close: codes.unauthenticated.close }
const authenticationTimeout: Expected = { close: codes.timeout.close }
const forbidden: Expected = { status: codes.forbidden.status }
const badRequest: Expected = { status: codes.badRequest.status }

const ticketSeconds = 30

/** A JWT whose signature differs in its first character; nothing else does. */
export function forge(token: string): string {
  const at = token.lastIndexOf('.') + 1
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
}

export const replayTicket: Attack = {
  title: 'Replay a used ticket',
  should: 'A ticket opens one connection, ever. The second one: Close 4001.',
  async run(attempt) {
    const ticket = await attempt.takeTicket()
    const first = await attempt.knock({ ticket }).answer
    attempt.wire.note('The same ticket, again')
    const second = await attempt.knock({ ticket }).answer
    return judge(second, authenticationFailed, { answer: first, who: 'The first use' })
  },
}

export const lateTicket: Attack = {
  title: 'Come late',
  should: `A ticket lives ${ticketSeconds} seconds. After ${ticketSeconds + 1}: Close 4001.`,
  async run(attempt) {
    const ticket = await attempt.takeTicket()
    await attempt.wait(ticketSeconds + 1, 'Waiting until the ticket is too old')
    const late = await attempt.knock({ ticket }).answer
    attempt.wire.note('Control: a fresh ticket')
    const fresh = await attempt.knock({ ticket: await attempt.takeTicket() }).answer
    return judge(late, authenticationFailed, { answer: fresh, who: 'A fresh ticket' })
  },
}

export const foreignTicket: Attack = {
  title: 'Come from another origin',
  should: 'A sandboxed frame sends Origin: null. Refused with 403, and the ticket is not used up.',
  async run(attempt) {
    const ticket = await attempt.takeTicket()
    attempt.wire.note('From a sandboxed frame')
    const foreign = await attempt.knockFromOpaqueOrigin({ ticket })
    attempt.wire.note('Control: the same ticket, from this page')
    const own = await attempt.knock({ ticket }).answer
    return judge(foreign, forbidden, { answer: own, who: 'The same ticket from this page' })
  },
}

export const foreignCookie: Attack = {
  title: 'Come from another origin',
  should: 'The classic hijack: a foreign page counts on your cookie. Origin: null is refused with 403.',
  async run(attempt) {
    attempt.wire.note('From a sandboxed frame')
    const foreign = await attempt.knockFromOpaqueOrigin({})
    attempt.wire.note('Control: the cookie, from this page')
    const own = await attempt.knock({ cookie: true }).answer
    return judge(foreign, forbidden, { answer: own, who: 'The cookie from this page' })
  },
}

export const ticketAndToken: Attack = {
  title: 'Present two credentials',
  should: 'A ticket and a token in one request: which one counts? Neither. Refused with 400.',
  async run(attempt) {
    const ticket = await attempt.takeTicket()
    const both = await attempt.knock({ ticket, token: await attempt.takeShortToken() }).answer
    attempt.wire.note('Control: the ticket alone')
    const one = await attempt.knock({ ticket }).answer
    return judge(both, badRequest, { answer: one, who: 'The ticket alone' })
  },
}

export const queryAndBearer: Attack = {
  title: 'Present two credentials',
  should: 'The same good token twice, in the URL and as a subprotocol. Refused with 400.',
  async run(attempt) {
    const token = await attempt.takeShortToken()
    const both = await attempt.knock({ token, bearer: token }).answer
    attempt.wire.note('Control: the subprotocol alone')
    const one = await attempt.knock({ bearer: token }).answer
    return judge(both, badRequest, { answer: one, who: 'The subprotocol alone' })
  },
}

export const forgedBesideCookie: Attack = {
  title: 'Hide a bad token behind a good cookie',
  should: 'A bad credential never falls back to a weaker one. Close 4001, good cookie or not.',
  async run(attempt) {
    const token = await attempt.takeShortToken()
    const forged = await attempt.knock({ token: forge(token), cookie: true }).answer
    attempt.wire.note('Control: the cookie alone')
    const alone = await attempt.knock({ cookie: true }).answer
    return judge(forged, authenticationFailed, { answer: alone, who: 'The cookie alone' })
  },
}

export const forgedQuery: Attack = {
  title: 'Forge the signature',
  should: 'One character of the signature is changed. Close 4001.',
  async run(attempt) {
    const token = await attempt.takeShortToken()
    const forged = await attempt.knock({ token: forge(token) }).answer
    attempt.wire.note('Control: the genuine token')
    const genuine = await attempt.knock({ token }).answer
    return judge(forged, authenticationFailed, { answer: genuine, who: 'The genuine token' })
  },
}

export const longLivedQuery: Attack = {
  title: 'Put an hour-long token in the URL',
  should: 'URLs are written to logs, so a query token may live 60 seconds at most. Close 4001.',
  async run(attempt) {
    const long = await attempt.knock({ token: attempt.account.token }).answer
    attempt.wire.note('Control: a token of 30 seconds')
    const short = await attempt.knock({ token: await attempt.takeShortToken() }).answer
    return judge(long, authenticationFailed, { answer: short, who: 'A token of 30 seconds' })
  },
}

export const forgedBearer: Attack = {
  title: 'Forge the signature',
  should: 'One character of the signature is changed. Close 4001.',
  async run(attempt) {
    const { token } = attempt.account
    const forged = await attempt.knock({ bearer: forge(token) }).answer
    attempt.wire.note('Control: the genuine token')
    const genuine = await attempt.knock({ bearer: token }).answer
    return judge(forged, authenticationFailed, { answer: genuine, who: 'The genuine token' })
  },
}

export const silence: Attack = {
  title: 'Say nothing',
  should: 'Nobody may stand between the doors for long. After 5 seconds: Close 4001.',
  async run(attempt) {
    const visit = attempt.knock({}, withoutCookie())
    await visit.opened
    void attempt.wait(5, 'Saying nothing')
    return judge(await visit.answer, authenticationTimeout)
  },
}

export const talkFirst: Attack = {
  title: 'Talk before you are let in',
  should: 'What comes before the credential is dropped: it is not even heard later.',
  async run(attempt) {
    const early = 'Open the gate!'
    const visit = attempt.knock({}, withoutCookie())
    await visit.opened
    visit.say(early)
    authenticate(visit.say, attempt.account.token)
    const answer = await visit.answer
    if (answer.type === 'ended')
      return { verdict: 'unclear', did: `Turned away with ${answer.code}, credential and all.` }
    // Messages keep their order: had the early one been heard, its echo would be here before this one's.
    const heard = visit.echoed('May I speak now?')
    visit.say('May I speak now?')
    await heard
    return visit.echoes.includes(early)
      ? { verdict: 'not held', did: 'The early line was answered.' }
      : { verdict: 'held', did: 'Only the line after auth_ok was answered.' }
  },
}

export const forgedMessage: Attack = {
  title: 'Forge the signature',
  should: 'One character of the signature is changed: auth_fail, then Close 4001.',
  async run(attempt) {
    const { token } = attempt.account
    const forged = attempt.knock({}, withoutCookie())
    await forged.opened
    authenticate(forged.say, forge(token))
    const refused = await forged.answer
    attempt.wire.note('Control: the genuine token')
    const genuine = attempt.knock({}, withoutCookie())
    await genuine.opened
    authenticate(genuine.say, token)
    return judge(refused, authenticationFailed, { answer: await genuine.answer, who: 'The genuine token' })
  },
}

/** Says the first message. */
export function authenticate(say: (text: string, shown: string) => void, token: string): void {
  say(encodeFrame({ type: 'auth', token }), encodeFrame({ type: 'auth', token: mask(token) }))
}
