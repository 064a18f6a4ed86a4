// What runs in the page: what the standard asks, of its own class and of ours by each way in. Bundled as `trial`.
import { type Credential, cookie, firstMessage, ticket, webSocketClass } from '@sallyport/client'
import type { Place } from '../../../../packages/client/test/standard/case.js'
import { runAll } from '../../../../packages/client/test/standard/cases.js'

const credentials: Record<string, () => Credential> = {
  ticket: () => (target) => ticket(`${target.url.pathname}/ticket`)(target),
  cookie: () => cookie(),
  message: () => firstMessage(() => 'good-ada'),
}

/** The results of all cases by one way in; `native` asks the class of the browser. */
export function ask(way: string, url: string): ReturnType<typeof runAll> {
  const credential = credentials[way]?.()
  const Class = credential ? webSocketClass({ credential, reconnect: false }) : WebSocket
  return runAll({ Class, url } as Place)
}
