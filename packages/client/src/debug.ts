import type { Watched } from './events.js'
import type { Outcome } from './outcome.js'

/** Where {@link debug} writes: the console, or a log of yours. */
export interface DebugLog {
  debug(...what: unknown[]): void
  warn(...what: unknown[]): void
}

/**
 * Writes down what a socket does, and warns, once, when it will never open or most likely will not: the option `debug`.
 * Nothing of it holds a credential, unless an error of your own functions quotes one.
 *
 * ```ts
 * new GuardedSocket(url, { credential, debug: debug() })
 * ```
 */
export function debug(log: DebugLog = console): (socket: Watched) => void {
  return (socket) => {
    const note = (...what: unknown[]) => log.debug('Sallyport:', ...what)
    let wasOpen = false
    socket.addEventListener('open', () => {
      wasOpen = true
      note('open', socket.url, socket.protocol)
    })
    socket.addEventListener('authenticated', ({ userId, expiresIn }) => note('authenticated', { userId, expiresIn }))
    socket.addEventListener('close', ({ code, reason }) => note('close', code, reason))
    socket.addEventListener('reconnecting', ({ outcome, attempt, delayMs }) => {
      note(`attempt ${attempt} in ${Math.round(delayMs)} ms`, outcome)
      if (attempt === 1 && !wasOpen && outcome.ambiguous) log.warn('Sallyport: the socket does not open.', hidden)
    })
    socket.addEventListener('terminal', ({ outcome }) => note('gave up', outcome))
    warnOfMistakes(log)(socket)
  }
}

/** Warns when the socket gives up because of what somebody has to repair, and says what. */
export function warnOfMistakes(log: Pick<DebugLog, 'warn'>): (socket: Watched) => void {
  return (socket) => {
    socket.addEventListener('terminal', ({ outcome }) => {
      if (outcome.kind === 'misconfigured' || outcome.status === 403) {
        log.warn(`Sallyport: the socket will never open. ${explain(outcome)}`, outcome.cause ?? '')
      }
    })
  }
}

const hidden =
  'A browser shows a wrong path, a foreign origin and a server that is down alike. Look at the failed request in its ' +
  'network panel: is the path guarded, and the page’s origin one of `origins`?'

function explain({ status, code, cause }: Outcome): string {
  if (status === 404) return 'Nobody answers there (404): does the server serve that path?'
  if (status === 403) return 'It answered 403: is this page’s origin one of `origins`, and may this user come in?'
  if (status === 302) return 'It was redirected, to a login page most likely.'
  if (status !== undefined && status < 300) return `It answered ${status}, but no ticket: a page, most likely.`
  if (status !== undefined) return `The server answered ${status}: the request is not one that it takes.`
  if (code !== undefined) return `The server closed with ${code}: a message is not one that it takes.`
  if (cause instanceof TypeError || cause instanceof ReferenceError)
    return 'The options, or your function, are mistaken:'
  return 'The two ends do not fit:'
}
