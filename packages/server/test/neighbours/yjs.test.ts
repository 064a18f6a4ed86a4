import { createGuard, type GuardEvent, query, yjs } from '@sallyport/server'
import { guardServer } from '@sallyport/server/ws'
import { docs, setupWSConnection } from '@y/websocket-server/utils'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import { Doc } from 'yjs'
import { verifyGood } from '../support/guard.js'
import { beside } from './beside.js'

/** A client that edits a document. */
function open(url: string, room: string, name: string) {
  const doc = new Doc()
  const provider = new WebsocketProvider(`${url}/yjs`, room, doc, {
    params: { token: `good-${name}` },
    WebSocketPolyfill: WebSocket as never,
    disableBc: true,
  })
  onTestFinished(() => provider.destroy())
  return { doc, provider, text: doc.getText('text') }
}

it('y-websocket serves rooms by their path, and who may not enter one never sees it', async () => {
  const members: Record<string, string[]> = { plans: ['ada', 'bob'] }
  const guard = createGuard({ accept: [query({ verify: verifyGood })] })
  const events: GuardEvent[] = []
  guard.subscribe((event) => events.push(event))
  const webSocketServer = new WebSocketServer({ noServer: true })
  webSocketServer.on('connection', setupWSConnection)
  const { url } = await beside('before', (server) => {
    guardServer(server, guard, {
      path: '/yjs/:room',
      dialect: yjs,
      webSocketServer,
      admit: ({ id }, { params: { room } }) => members[room]?.includes(id) || { reason: `${id} is not of ${room}` },
    })
  })
  const [ada, bob] = [open(url, 'plans', 'ada'), open(url, 'plans', 'bob')]
  const seen = new Promise<void>((resolve) => bob.text.observe(() => resolve()))
  ada.text.insert(0, 'hello')
  await seen
  expect(bob.text.toString()).toBe('hello')
  // The library takes the name of the document from the request.
  expect([...docs.keys()]).toEqual(['yjs/plans'])

  const eve = open(url, 'plans', 'eve')
  await new Promise((resolve) => eve.provider.once('connection-error', resolve))
  eve.provider.disconnect()
  expect(eve.text.toString()).toBe('')
  expect(events.at(-1)).toMatchObject({ type: 'refused', reason: 'not-admitted', detail: 'eve is not of plans' })
  expect([...guard.connections].map(({ identity }) => identity.id).sort()).toEqual(['ada', 'bob'])
})
