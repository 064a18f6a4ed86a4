import { ticket, webSocketClass } from '@sallyport/client'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import { Doc } from 'yjs'
import { type Login, signIn } from '../visitor.js'
import { logOut, running } from './stock.js'

const example = running('y-websocket')

/** A client of y-websocket whose sockets ask for a ticket each. */
function open(login: () => Login) {
  const { port } = example()
  const doc = new Doc()
  const provider = new WebsocketProvider(`ws://127.0.0.1:${port}`, 'ws', doc, {
    disableBc: true,
    WebSocketPolyfill: webSocketClass({
      WebSocket,
      reconnect: false,
      credential: ticket(`http://127.0.0.1:${port}/ws/ticket`, { token: () => login().token }),
    }),
  })
  onTestFinished(() => provider.destroy())
  return { doc, provider, visitors: doc.getMap<string>('visitors'), text: doc.getText('text') }
}

type Opened = ReturnType<typeof open>

const synced = ({ provider }: Opened) =>
  new Promise<void>((resolve) => provider.on('sync', (isSynced) => isSynced && resolve()))
const closed = ({ provider }: Opened) =>
  new Promise<number | undefined>((resolve) => provider.once('connection-close', (event) => resolve(event?.code)))
/** Resolves when somebody else has written into the text. */
const written = ({ text }: Opened) =>
  new Promise<string>((resolve) => text.observe((_, { local }) => local || resolve(text.toString())))

it('comes in, reads who is here, and what one writes the other has', async () => {
  const [ada, bob] = await Promise.all([signIn(example(), 'ada'), signIn(example(), 'bob')])
  const [one, two] = [open(() => ada), open(() => bob)]
  await Promise.all([synced(one), synced(two)])
  expect(one.visitors.toJSON()).toMatchObject({ ada: 'ticket' })
  const read = written(two)
  one.text.insert(0, 'hello')
  expect(await read).toBe('hello')
})

it('sees nothing with a token that is none, and comes in with a good one', async () => {
  const good = await signIn(example())
  let login: Login = { ...good, token: 'none' }
  const client = open(() => login)
  await new Promise((resolve) => client.provider.once('connection-error', resolve))
  expect(client.visitors.size).toBe(0)
  login = good
  await synced(client)
  expect(client.visitors.get('ada')).toBe('ticket')
})

it('F03 stops for good when its session is logged out', async () => {
  const login = await signIn(example())
  const client = open(() => login)
  await synced(client)
  const stopped = new Promise((resolve) => client.provider.once('closed', resolve))
  await logOut(example(), login)
  expect(await stopped).toEqual({ code: 4403, reason: 'Revoked' })
  expect(client.provider.shouldConnect).toBe(false)
})

it('F01 comes again with a new ticket when its credential has expired', async () => {
  const [short, long] = [await signIn(example(), 'ada', 2), await signIn(example())]
  const logins = [short, long]
  const client = open(() => logins.shift() ?? long)
  await synced(client)
  expect(await closed(client)).toBe(4019)
  await synced(client)
})
