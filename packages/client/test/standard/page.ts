// What runs in the page: the cases, by each way in.
import { type Credential, cookie, firstMessage, ticket, webSocketClass } from '@sallyport/client'
import { type Place, runAll } from './cases.js'

const credentials: Record<string, () => Credential> = {
  ticket: () => (target) => ticket(`${target.url.pathname}/ticket`)(target),
  cookie: () => cookie(),
  message: () => firstMessage(() => 'good-ada'),
}

/** The results of all cases by one way in; `native` asks the class of the browser. */
async function run(way: string, url: string): Promise<unknown> {
  const credential = credentials[way]?.()
  const Class = credential ? webSocketClass({ credential, reconnect: false }) : WebSocket
  return runAll({ Class, url } as Place)
}

Object.assign(globalThis, { runStandard: run })
