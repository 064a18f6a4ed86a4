import { Client, type IMessage, type StompConfig } from '@stomp/stompjs'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { deferred } from './deferred.js'

/** The subprotocols that its client offers. */
export const protocols = ['v12.stomp', 'v11.stomp', 'v10.stomp']

/** The client of STOMP. It reads no close code, so that a line of the application has to stop it. */
export function openStomp(url: string, token: () => string, more: StompConfig = {}) {
  const [connected, stopped] = [deferred(), deferred()]
  const closed: number[] = []
  const errors: (string | undefined)[] = []
  let asked = 0
  const client = new Client({
    webSocketFactory: () => new WebSocket(url, protocols),
    reconnectDelay: 1,
    beforeConnect() {
      asked += 1
      client.connectHeaders = { login: 'ada', passcode: token() }
    },
    onConnect: () => connected.resolve(),
    onStompError: ({ headers }) => errors.push(headers.message),
    async onWebSocketClose({ code }) {
      closed.push(code)
      if (![4001, 4003, 4009, 4010].includes(code)) return
      await client.deactivate()
      stopped.resolve()
    },
    ...more,
  })
  client.activate()
  onTestFinished(() => client.deactivate({ force: true }))
  return { client, connected: connected.promise, stopped: stopped.promise, closed, errors, asked: () => asked }
}

/** The next message at a destination. */
export function hear(client: Client, destination: string): Promise<string> {
  const { promise, resolve } = deferred<IMessage>()
  client.subscribe(destination, resolve)
  return promise.then(({ body }) => body)
}
