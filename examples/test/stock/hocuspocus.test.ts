import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import { ticket, webSocketClass } from '@sallyport/client'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { Doc } from 'yjs'
import { type Login, signIn } from '../visitor.js'
import { logOut, routeOf, running } from './stock.js'

const example = running('hocuspocus')

/** A client of Hocuspocus whose sockets ask for a ticket each, or which brings its token in its own first message. */
function open(login: () => Login, brings: 'ticket' | 'token' = 'ticket') {
  const byTicket = webSocketClass({
    WebSocket,
    reconnect: false,
    credential: ticket(`${example().origin}/ws/ticket`, { token: () => login().token }),
  })
  const websocketProvider = new HocuspocusProviderWebsocket({
    url: routeOf(example()),
    delay: 100,
    minDelay: 0,
    WebSocketPolyfill: brings === 'ticket' ? byTicket : WebSocket,
  })
  const document = new Doc()
  const token = brings === 'ticket' ? null : () => login().token
  const provider = new HocuspocusProvider({ websocketProvider, name: 'ws', document, token })
  provider.attach()
  onTestFinished(() => websocketProvider.destroy())
  return { websocketProvider, provider, visitors: document.getMap<string>('visitors'), text: document.getText('text') }
}

type Opened = ReturnType<typeof open>

const synced = ({ provider }: Opened) => new Promise((resolve) => provider.on('synced', resolve))
const closed = ({ websocketProvider }: Opened) =>
  new Promise<number>((resolve) =>
    websocketProvider.on('disconnect', ({ event }: { event: CloseEvent }) => resolve(event.code)),
  )
/** Resolves when somebody else has written into the text. */
const written = ({ text }: Opened) =>
  new Promise<string>((resolve) => text.observe((_, { local }) => local || resolve(text.toString())))
const isHere = ({ visitors }: Opened, user: string) =>
  new Promise<void>((resolve) => {
    const look = () => visitors.has(user) && resolve()
    visitors.observe(look)
    look()
  })

it('comes in, reads who is here, and what one writes the other has', async () => {
  const [ada, bob] = await Promise.all([signIn(example(), 'ada'), signIn(example(), 'bob')])
  const [one, two] = [open(() => ada), open(() => bob)]
  await Promise.all([isHere(one, 'bob'), isHere(two, 'ada')])
  const read = written(two)
  one.text.insert(0, 'hello')
  expect(await read).toBe('hello')
})

it('sees nothing with a token that is none, and comes in with a good one', async () => {
  const good = await signIn(example())
  let login: Login = { ...good, token: 'none' }
  const client = open(() => login)
  await closed(client)
  expect(client.visitors.size).toBe(0)
  login = good
  await isHere(client, 'ada')
})

it('brings its token in its own first message, and is told when it is none', async () => {
  const login = await signIn(example())
  const client = open(() => login, 'token')
  await isHere(client, 'ada')
  expect(client.visitors.get('ada')).toBe('message')
  const other = open(() => ({ ...login, token: 'none' }), 'token')
  const denied = new Promise<string>((resolve) =>
    other.provider.on('authenticationFailed', ({ reason }: { reason: string }) => resolve(reason)),
  )
  expect(await denied).toBe('permission-denied')
  expect(other.visitors.size).toBe(0)
})

it('F03 is told when its session is logged out, and gets no ticket any more', async () => {
  const login = await signIn(example())
  const client = open(() => login)
  await synced(client)
  const end = closed(client)
  await logOut(example(), login)
  expect(await end).toBe(4010)
})

it('F01 comes again with a new ticket when its credential has expired', async () => {
  const [short, long] = [await signIn(example(), 'ada', 2), await signIn(example())]
  const logins = [short, long]
  const client = open(() => logins.shift() ?? long)
  await synced(client)
  expect(await closed(client)).toBe(4019)
  await synced(client)
})
