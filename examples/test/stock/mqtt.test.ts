import { createRequire } from 'node:module'
import { ticket, webSocketClass } from '@sallyport/client'
import { connect, type IClientOptions, MqttClient } from 'mqtt'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { signIn } from '../visitor.js'
import { logOut, routeOf, running } from './stock.js'

const example = running('mqtt')
/** How it connects in browsers. */
const { browserStreamBuilder } = createRequire(import.meta.url)('../../../node_modules/mqtt/build/lib/connect/ws.js')

/** MQTT.js, which counts how often it opens a socket. */
function open(password: string, options: IClientOptions = {}) {
  let opened = 0
  const client = connect(routeOf(example()), {
    ...(password !== '' && { username: 'anybody', password }),
    reconnectPeriod: 1,
    transformWsUrl(url) {
      opened += 1
      return url
    },
    ...options,
  })
  onTestFinished(() => void client.end(true))
  return { client, opened: () => opened }
}

/** The next message on a topic. */
const hear = (client: MqttClient, wanted: string): Promise<string> =>
  new Promise((resolve) =>
    client.on('message', (topic, payload) => {
      if (topic === wanted) resolve(String(payload))
    }),
  )
const once = (client: MqttClient, event: 'connect' | 'close' | 'error'): Promise<unknown> =>
  new Promise((resolve) => client.once(event, resolve))

it('brings its token as the password, hears who it is, and what it says itself', async () => {
  const { token } = await signIn(example())
  const { client } = open(token)
  expect(JSON.parse(await hear(client, 'users/ada/welcome'))).toEqual({ userId: 'ada', method: 'message' })
  await client.subscribeAsync('users/ada/said')
  const said = hear(client, 'users/ada/said')
  client.publish('users/ada/said', 'hello')
  expect(await said).toBe('hello')
})

it('gets no topic of another user, whatever either of them is called', async () => {
  const [eve, plus] = [await signIn(example(), 'eve'), await signIn(example(), '+')]
  const [one, two] = [open(eve.token, { clientId: 'phone' }), open(plus.token, { clientId: 'phone' })]
  await Promise.all([once(one.client, 'connect'), once(two.client, 'connect')])
  for (const topic of ['users/eve/said', 'users/+/said', '#']) {
    await expect(two.client.subscribeAsync(topic), topic).rejects.toThrow()
  }
  expect(await two.client.subscribeAsync('users/%2B/said')).toMatchObject([{ qos: 0 }])
  // Nor does the same client id put one in the place of the other.
  expect([one.opened(), two.opened()]).toEqual([1, 1])
  expect(one.client.connected).toBe(true)
})

it('is refused with a token that is none, and stops; a good one comes in', async () => {
  const { client, opened } = open('none')
  const closed = once(client, 'close')
  expect(await once(client, 'error')).toMatchObject({ code: 4 })
  await closed
  await once(open((await signIn(example())).token).client, 'connect')
  expect(opened()).toBe(1)
})

it('comes in by a header on Node.js, and in browsers by a class that asks for a ticket each', async () => {
  const login = await signIn(example())
  const byHeader = open('', { wsOptions: { headers: { Authorization: `Bearer ${login.token}` } } })
  const Ticketed = webSocketClass({
    WebSocket,
    reconnect: false,
    credential: ticket(`${example().origin}/ws/ticket`, { token: () => login.token }),
  })
  const options = {
    protocol: 'ws' as const,
    hostname: '127.0.0.1',
    port: example().port,
    path: '/ws',
    createWebsocket: (url: string, protocols: string[]) => new Ticketed(url, protocols),
  }
  const inBrowser = new MqttClient((client) => browserStreamBuilder(client, options), options)
  onTestFinished(() => void inBrowser.end(true))
  const welcomes = await Promise.all([byHeader.client, inBrowser].map((client) => hear(client, 'users/ada/welcome')))
  expect(welcomes.map((text) => JSON.parse(text).method)).toEqual(['header', 'ticket'])
})

it('F03 is refused at its next attempt when its session is logged out, and stops', async () => {
  const login = await signIn(example())
  const { client, opened } = open(login.token)
  await once(client, 'connect')
  const refused = once(client, 'error')
  await logOut(example(), login)
  expect(await refused).toMatchObject({ code: 4 })
  await once(open((await signIn(example())).token).client, 'connect')
  expect(opened()).toBe(2)
})

it('F01 comes again when its credential has expired, with the one that it has by then', async () => {
  const [short, long] = [await signIn(example(), 'ada', 2), await signIn(example())]
  const { client, opened } = open(short.token)
  await once(client, 'connect')
  client.once('close', () => {
    client.options.password = long.token
  })
  await once(client, 'connect')
  expect(opened()).toBe(2)
})
