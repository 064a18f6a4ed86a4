import { codes } from '@sallyport/protocol'
import type { Answer } from './answer.js'
import type { Attempt } from './attempt.js'
import { enterWithClient } from './client.js'
import { authenticate, enterByMessage } from './first-message.js'
import { withoutCookie } from './handshake.js'
import { type Expected, judge, type Outcome } from './judge.js'
import type { BareVisit } from './visit.js'

/** A way to try to get past the guard. */
export interface Attack {
  readonly title: string
  /** What should happen. */
  readonly should: string
  run(attempt: Attempt): Promise<Outcome>
}

const authenticationFailed: Expected = { close: codes.unauthenticated.close }
const authenticationTimeout: Expected = { close: codes.timeout.close }
const credentialExpired: Expected = { close: codes.expired.close }
const identitySwapped: Expected = { close: codes.forbidden.close }
const forbidden: Expected = { status: codes.forbidden.status }
const badRequest: Expected = { status: codes.badRequest.status }

const ticketSeconds = 30
const leewaySeconds = 5
const fleetingSeconds = 3

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
    authenticate(visit, attempt.account.token)
    await visit.answer
    visit.say('May I speak now?')
    // Messages keep their order: had the early one been heard, the first echo would be its own.
    const echo = visit.heard.find((message) => message.type === 'echo') ?? (await visit.next('echo'))
    if (echo.type === 'ended') return { verdict: 'unclear', did: `Turned away with ${echo.code}, credential and all.` }
    return echo.data === early
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
    authenticate(forged, forge(token))
    const refused = await forged.answer
    attempt.wire.note('Control: the genuine token')
    const genuine = attempt.knock({}, withoutCookie())
    await genuine.opened
    authenticate(genuine, token)
    return judge(refused, authenticationFailed, { answer: await genuine.answer, who: 'The genuine token' })
  },
}

export const renewAsOther: Attack = {
  title: 'Renew as somebody else',
  should: 'A connection stays whose it was. With the token of another user: Close 4003.',
  async run(attempt) {
    const visit = await enterByMessage(attempt)
    await visit.answer
    attempt.wire.note('Control: renew as yourself')
    const own = await renewed(visit, await attempt.takeShortToken())
    attempt.wire.note('As somebody else')
    const other = attempt.account.user === 'neighbour' ? 'stranger' : 'neighbour'
    const swapped = await renewed(visit, await attempt.takeShortToken(other))
    return judge(swapped, identitySwapped, { answer: own, who: 'Your own token' })
  },
}

export const outliveToken: Attack = {
  title: 'Outlive your token',
  should: `A token of ${fleetingSeconds} seconds, and ${leewaySeconds} more because clocks differ. Then: Close 4019.`,
  async run(attempt) {
    const short = attempt.knock({ token: await attempt.takeToken(fleetingSeconds) })
    await short.answer
    attempt.wire.note('Control: a token of 30 seconds')
    const long = attempt.knock({ token: await attempt.takeShortToken() })
    await long.answer
    await attempt.wait(fleetingSeconds + leewaySeconds, 'Holding on past its end')
    const outlived = await stillInside(short)
    return judge(outlived, credentialExpired, { answer: await stillInside(long), who: 'The token of 30 seconds' })
  },
}

export const outliveClient: Attack = {
  title: 'Outlive its token',
  should: `Its token ends after ${fleetingSeconds} seconds: Close 4019, and the client comes again at once with a new one.`,
  async run(attempt) {
    const visit = enterWithClient(attempt, () => attempt.takeToken(fleetingSeconds))
    await visit.answer
    // Whoever says nothing is found two seconds later at the most.
    const tooLong = attempt.wait(fleetingSeconds + leewaySeconds + 3, 'Holding on past its end')
    const lost = await Promise.race([visit.lost, tooLong])
    if (!lost) return { verdict: 'not held', did: 'It is still inside.' }
    return judge(lost, credentialExpired, { answer: await visit.again, who: 'The client, with a new token,' })
  },
}

/** Renews by first message: whether that leaves the visitor inside. */
async function renewed(visit: BareVisit, token: string): Promise<Answer> {
  authenticate(visit, token)
  const heard = await visit.next('auth_ok', 'auth_fail')
  if (heard.type === 'auth_fail') throw new Error('auth_fail, and the connection stays as it was.')
  return heard.type === 'ended' ? heard : visit.answer
}

/** Whether a visitor is still heard. */
async function stillInside(visit: BareVisit): Promise<Answer> {
  visit.say('Am I still inside?')
  const heard = await visit.next('echo')
  return heard.type === 'ended' ? heard : visit.answer
}
