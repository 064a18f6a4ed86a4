import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type RawClient, rawFrame, rawOpen } from '../../support/raw.js'
import { startWorkerd, type Workerd } from '../../support/workerd.js'

const objects = { STORE: 'Sallyport', ROOM: 'Room', QUIET: 'Quiet', QUIET_ROOM: 'QuietRoom' }
let workerd: Workerd

beforeAll(async () => {
  workerd = await startWorkerd(new URL('worker.ts', import.meta.url), objects)
})
afterAll(() => workerd.stop())

// The runtime lets an object sleep when nothing has happened to it for ten seconds, and nobody can hasten it.
const asleep = () => new Promise((resolve) => setTimeout(resolve, 12_000))
const patience = 40_000

const url = (path: string) => `http://127.0.0.1:${workerd.port}${path}`
const revoke = (target: object) => fetch(url(`/revoke?target=${encodeURIComponent(JSON.stringify(target))}`))
const auth = (token: string) => JSON.stringify({ type: 'auth', token })

interface State {
  /** Which of all objects it is that answers: another one when it has slept. */
  readonly born: number
  readonly attachments: unknown[]
  /** The keys of ours in its storage. */
  readonly kept: string[]
}
const stateOf = async (room: string): Promise<State> => (await fetch(url(`/rooms/${room}/state`))).json() as never

/** What the application has seen of somebody. */
const seenOf = async (user: string): Promise<string[]> => (await fetch(url(`/seen?of=${user}`))).json() as never
const hasSeen = (user: string, lines: string[]) =>
  vi.waitFor(async () => expect(await seenOf(user)).toEqual(lines), 5_000)
const keepsNothing = (room: string) => vi.waitFor(async () => expect((await stateOf(room)).kept).toEqual([]), 5_000)
const close = (code: number) => rawFrame(Buffer.from([code >> 8, code & 255]), { opcode: 8 })

/** A connection of a room that sleeps behind it. */
async function sleeping(room: string, token: string, message?: string) {
  const { client } = await rawOpen(workerd.port, `/rooms/${room}`, message ? {} : { Authorization: `Bearer ${token}` })
  if (message) client.write(rawFrame(message))
  client.write(rawFrame('born'))
  const count = message ? 3 : 2
  const born = (await client.textsUntil(count))[count - 1]
  await asleep()
  return { client, born, count }
}

// Together, because they wait for the same.
it.concurrent(
  'a message that wakes the object is let in, and the connection is who it was',
  async () => {
    const { client, born } = await sleeping('wakes', 'good-ada-600-large')
    client.write(Buffer.concat([rawFrame('born'), rawFrame('secret'), rawFrame('about'), rawFrame('last')]))
    const [again, about, last] = (await client.textsUntil(5)).slice(2)
    expect(again).not.toBe(born)
    expect([about, last]).toEqual(['20000', 'last'])
  },
  patience,
)

it.concurrent(
  'J44 what is kept beside a socket is no credential',
  async () => {
    const { client } = await rawOpen(workerd.port, '/rooms/kept?token=good-ada-600&a=b')
    await client.textsUntil(1)
    const text = JSON.stringify((await stateOf('kept')).attachments)
    expect(text).toContain('"id":"ada"')
    expect(text).toContain('"query":"a=b"')
    expect(text).not.toContain('good-ada')
  },
  patience,
)

it.concurrent(
  'J45 an alarm ends a connection whose object sleeps, and pings do not prolong it',
  async () => {
    await fetch(url('/rooms/alarm/pings'))
    const later = await rawOpen(workerd.port, '/rooms/alarm', { Authorization: 'Bearer good-bob-17' })
    const { client, born } = await sleeping('alarm', 'good-ada-15')
    client.write(rawFrame('ping'))
    expect((await client.textsUntil(3))[2]).toBe('pong')
    // It was answered without waking anybody; looking does.
    expect(await client.closeFrame()).toMatchObject({ code: 4019 })
    expect((await stateOf('alarm')).born).not.toBe(Number(born))
    client.write(rawFrame('after'))
    client.write(rawFrame('ping'))
    // The next one is set behind the first.
    expect(await later.client.closeFrame()).toMatchObject({ code: 4019 })
    expect(await seenOf('ada')).not.toContain('ada after')
  },
  patience,
)

it.concurrent(
  'J46 a revocation reaches a user who sleeps, within a second, and nobody else',
  async () => {
    const [{ client }, other] = await Promise.all([sleeping('revoked', 'good-zoe'), sleeping('revoked', 'good-yan')])
    const since = Date.now()
    await revoke({ user: 'zoe' })
    expect(await client.closeFrame()).toMatchObject({ code: 4010 })
    expect(Date.now() - since).toBeLessThan(1_000)
    other.client.write(rawFrame('still here'))
    expect((await other.client.textsUntil(3))[2]).toBe('still here')
  },
  patience,
)

it.concurrent(
  'J58 a revocation by the object itself counts those who sleep among those that it closed',
  async () => {
    const [one, two, three, other] = await Promise.all(
      ['ugo', 'ugo', 'ugo', 'val'].map((user) => sleeping('counted', `good-${user}`)),
    )
    const target = encodeURIComponent(JSON.stringify({ user: 'ugo' }))
    const revoked = await fetch(url(`/rooms/counted/revoke?target=${target}`))
    expect(await revoked.json()).toMatchObject({ closed: 3 })
    for (const each of [one, two, three]) expect(await each!.client.closeFrame()).toMatchObject({ code: 4010 })
    other!.client.write(rawFrame('still here'))
    expect((await other!.client.textsUntil(3))[2]).toBe('still here')
  },
  patience,
)

it.concurrent(
  'J47 a revocation reaches who came by first message, or has been renewed, and sleeps',
  async () => {
    const { client } = await sleeping('message', '', auth('good-xia'))
    client.write(rawFrame(auth('good-xia-600')))
    await client.textsUntil(4)
    await asleep()
    await revoke({ session: 's-xia' })
    expect(await client.closeFrame()).toMatchObject({ code: 4010 })
  },
  patience,
)

it.concurrent(
  'a connection that has slept is renewed, and told of its end',
  async () => {
    const { client, count } = await sleeping('renewed', '', auth('good-ada-20'))
    client.write(rawFrame(auth('good-ada-600')))
    expect((await client.textsUntil(count + 1)).at(-1)).toMatch(/auth_ok.*"expiresIn":(600|59\d)/)
    const { client: told, count: before } = { client, count: count + 1 }
    told.write(rawFrame('all'))
    expect((await told.textsUntil(before + 1)).at(-1)).toBe('all from ada')
  },
  patience,
)

it.concurrent(
  'J50 a socket beside which somebody else has written is closed, and keeps nobody from their end',
  async () => {
    const spoilt = await rawOpen(workerd.port, '/rooms/spoilt', { Authorization: 'Bearer good-eve' })
    spoilt.client.write(Buffer.concat([rawFrame('spoil'), rawFrame('done')]))
    await spoilt.client.textsUntil(2)
    const { client } = await sleeping('spoilt', 'good-ada-15')
    expect(await client.closeFrame()).toMatchObject({ code: 4019 })
    expect(await spoilt.client.closeFrame()).toMatchObject({ code: 1011 })
    spoilt.client.write(rawFrame('after'))
    const other = await rawOpen(workerd.port, '/rooms/spoilt', { Authorization: 'Bearer good-yan' })
    other.client.write(rawFrame('control'))
    expect(await other.client.textsUntil(2)).toEqual(['yan by header', 'control'])
    expect(spoilt.client.texts()).toEqual(['eve by header', 'done'])
  },
  patience,
)

it.concurrent(
  'J51 an alarm that the runtime has given up is set again by whoever is awake, for all',
  async () => {
    const quiet = await rawOpen(workerd.port, '/rooms/given-up', { Authorization: 'Bearer good-ada-14' })
    const { client } = await rawOpen(workerd.port, '/rooms/given-up', { Authorization: 'Bearer good-eve-16' })
    await client.textsUntil(1)
    await fetch(url('/rooms/given-up/forget'))
    await asleep()
    client.write(rawFrame('hello'))
    expect(await client.textsUntil(2)).toEqual(['eve by header', 'hello'])
    expect(await quiet.client.closeFrame()).toMatchObject({ code: 4019 })
  },
  patience,
)

it.concurrent(
  'a drain reaches who sleeps, refuses who comes, and is done when the last is gone',
  async () => {
    const asleep = await sleeping('drained', 'good-wes')
    const awake = await rawOpen(workerd.port, '/rooms/drained', { Authorization: 'Bearer good-val' })
    await awake.client.textsUntil(1)
    const drained = fetch(url('/rooms/drained/drain'))
    for (const { client } of [asleep, awake]) {
      expect(await client.closeFrame()).toMatchObject({ code: 1012 })
      client.write(close(1012))
    }
    expect((await drained).status).toBe(200)
    const statusIn = async (room: string) =>
      (await rawOpen(workerd.port, `/rooms/${room}`, { Authorization: 'Bearer good-ada' })).head.status
    expect([await statusIn('drained'), await statusIn('elsewhere')]).toEqual([503, 101])
  },
  patience,
)

it.concurrent(
  'J53 a client’s frames are still known by its nonce, and others are the application’s',
  async () => {
    const nonce = 'q2xJ0b3sT8K1nD4vYw7ZAg'
    const frame = (token: string) => JSON.stringify({ type: 'auth', token, nonce })
    const { client, count } = await sleeping('nonce', '', frame('good-ada-20'))
    client.write(Buffer.concat([rawFrame(auth('good-eve-600')), rawFrame(frame('good-ada-600'))]))
    const [theirs, ours] = (await client.textsUntil(count + 2)).slice(count)
    expect(theirs).toBe(auth('good-eve-600'))
    expect(JSON.parse(ours!)).toMatchObject({ type: 'auth_ok', nonce, expiresIn: expect.closeTo(600, -1) })
  },
  patience,
)

it.concurrent.each<[string, string, (client: RawClient) => void, number]>([
  ['by a Close', 'kim', (client) => client.write(close(1000)), 1000],
  ['without a word', 'leo', (client) => client.destroy(), 1006],
])(
  'J54 who leaves %s while the object sleeps is told of, once, and nothing of it is kept',
  async (_, user, leave, code) => {
    const large = `good-${user}-600-large`
    const [first, second] = await Promise.all([sleeping(`left-${code}`, large), sleeping(`left-${code}`, large)])
    const told = [`handler ${user}`, `handler ${user}`, `${user} closed ${code}`]
    leave(first.client)
    await hasSeen(user, told)
    // That it holds anybody, and who has stayed.
    expect((await stateOf(`left-${code}`)).kept).toHaveLength(2)
    leave(second.client)
    await hasSeen(user, [...told, `${user} closed ${code}`])
    await keepsNothing(`left-${code}`)
  },
  patience,
)

it.concurrent(
  'J55 the last words of who leaves while the object sleeps are let in, before it is told of',
  async () => {
    const { client } = await sleeping('words', 'good-mia')
    client.write(Buffer.concat([rawFrame('one'), rawFrame('secret'), rawFrame('two'), close(1000), rawFrame('three')]))
    const told = ['handler mia', 'mia one', 'mia two', 'mia closed 1000']
    await hasSeen('mia', told)
    await keepsNothing('words')
    expect(await seenOf('mia')).toEqual(told)
  },
  patience,
)

it.concurrent.each<[string, string, string, () => unknown, number]>([
  ['is revoked', 'ona', '600', () => revoke({ user: 'ona' }), 4010],
  ['expires', 'pia', '14', () => {}, 4019],
])(
  'J56 who %s while the object sleeps is told of when its peer has answered, and nothing of it is kept',
  async (_, user, life, end, code) => {
    const { client } = await sleeping(`ended-${user}`, `good-${user}-${life}-large`)
    await end()
    expect(await client.closeFrame()).toMatchObject({ code })
    client.write(Buffer.concat([rawFrame('after'), close(code)]))
    await hasSeen(user, [`handler ${user}`, `${user} closed ${code}`])
    await keepsNothing(`ended-${user}`)
  },
  patience,
)

it.concurrent(
  'J56 a peer that answers no Close is told of all the same, once',
  async () => {
    const { client } = await sleeping('silent', 'good-quy')
    await revoke({ user: 'quy' })
    expect(await client.closeFrame()).toMatchObject({ code: 4010 })
    const told = ['handler quy', 'quy closed 4010']
    await hasSeen('quy', told)
    client.write(close(1000))
    await client.gone()
    await keepsNothing('silent')
    expect(await seenOf('quy')).toEqual(told)
  },
  patience,
)

it.concurrent(
  'J48 a message is not let in on the word of a store that does not answer, nor are last words',
  async () => {
    // Elsewhere, so that the others have their store.
    const alone = await startWorkerd(new URL('worker.ts', import.meta.url), objects)
    try {
      const { client } = await rawOpen(alone.port, '/rooms/out', { Authorization: 'Bearer good-ada' })
      const leaving = await rawOpen(alone.port, '/rooms/out', { Authorization: 'Bearer good-eve' })
      await Promise.all([client.textsUntil(1), leaving.client.textsUntil(1)])
      await asleep()
      await fetch(`http://127.0.0.1:${alone.port}/break`)
      leaving.client.write(Buffer.concat([rawFrame('last'), close(1000)]))
      client.write(rawFrame('hello'))
      expect(await client.closeFrame()).toMatchObject({ code: 1013 })
      expect(client.texts()).toEqual(['ada by header'])
      await vi.waitFor(async () => {
        const seen = await (await fetch(`http://127.0.0.1:${alone.port}/seen?of=eve`)).json()
        expect(seen).toEqual(['handler eve', 'eve closed 1000'])
      })
    } finally {
      await alone.stop()
    }
  },
  patience,
)

it.concurrent(
  'J57 what comes while the object looks for revocations is behind what has woken it',
  async () => {
    // Elsewhere, so that the others need not wait.
    const alone = await startWorkerd(new URL('worker.ts', import.meta.url), objects)
    const ask = async (path: string) => (await fetch(`http://127.0.0.1:${alone.port}${path}`)).text()
    const areHeld = (count: number) =>
      vi.waitFor(async () => expect(await ask('/held')).toBe(`${count}`), { interval: 5 })
    try {
      // By this its user is looked for at the wake, and restored before the look is done.
      await ask(`/revoke?target=${encodeURIComponent(JSON.stringify({ user: 'ada' }))}`)
      const { client } = await rawOpen(alone.port, '/rooms/turns', { Authorization: 'Bearer good-ada' })
      await client.textsUntil(1)
      await asleep()
      await ask('/hold')
      client.write(rawFrame('one'))
      await areHeld(1)
      client.write(rawFrame('two'))
      // Its pong says that it has come.
      await client.ping()
      await ask('/release')
      client.write(close(1000))
      await vi.waitFor(async () =>
        expect(JSON.parse(await ask('/seen?of=ada'))).toEqual(['handler ada', 'ada one', 'ada two', 'ada closed 1000']),
      )
    } finally {
      await alone.stop()
    }
  },
  patience,
)

it.concurrent(
  'J54 what is kept of sockets that went with the runtime is gone with the next that leaves',
  async () => {
    const alone = await startWorkerd(new URL('worker.ts', import.meta.url), objects)
    const keys = async (): Promise<string[]> =>
      ((await (await fetch(`http://127.0.0.1:${alone.port}/rooms/restarted/state`)).json()) as State).kept
    const open = async () => {
      const opened = await rawOpen(alone.port, '/rooms/restarted', { Authorization: 'Bearer good-ada-600-large' })
      await opened.client.textsUntil(1)
      return opened.client
    }
    try {
      await open()
      await vi.waitFor(async () => expect(await keys()).toHaveLength(2))
      await alone.restart()
      expect(await keys()).toHaveLength(2)
      const client = await open()
      client.write(close(1000))
      await vi.waitFor(async () => expect(await keys()).toEqual([]))
    } finally {
      await alone.stop()
    }
  },
  patience,
)
