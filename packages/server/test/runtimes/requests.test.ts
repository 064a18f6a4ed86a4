import { describe, expect, it, onTestFinished } from 'vitest'
import { origin } from '../support/guard.js'
import { type RawHeaders, rawOpen } from '../support/raw.js'
import { scenesIn } from '../support/runtime.js'

const bearer = 'Bearer good-ada'
const subprotocol = (token: string) => `sallyport.bearer.${Buffer.from(token).toString('base64url')}`

/** A handshake that another HTTP server would refuse, or see otherwise, and the status of the answer. */
type Row = [name: string, status: Record<'bun' | 'deno', number>, headers: RawHeaders, target?: string]

const both = (status: number) => ({ bun: status, deno: status })

// What a fetch request has lost: a repeated header is joined, and Bun has a URL parser read the target.
const rows: Row[] = [
  ['G71 two credentials in Authorization', both(400), { Authorization: [bearer, 'Bearer good-eve'] }],
  ['G71 the same credential twice', both(400), { Authorization: [bearer, bearer] }],
  ['G71 one', both(101), { Authorization: bearer }],
  [
    'G72 two session cookies in two lines',
    both(400),
    { Cookie: ['session=good-ada', 'session=good-eve'], Origin: origin },
  ],
  ['G72 one among two lines', both(101), { Cookie: ['theme=dark', 'session=good-ada'], Origin: origin }],
  ['G73 two origins', both(400), { Cookie: 'session=good-ada', Origin: [origin, 'https://evil.example'] }],
  ['G73 one', both(101), { Cookie: 'session=good-ada', Origin: origin }],
  [
    'G74 two credentials in two lines of subprotocols',
    both(400),
    { 'Sec-WebSocket-Protocol': [`app.v1, ${subprotocol('good-ada')}`, subprotocol('good-eve')] },
  ],
  ['G74 one in the second', both(101), { 'Sec-WebSocket-Protocol': ['app.v1', subprotocol('good-ada')] }],
  ['G75 a path with dot segments', { bun: 101, deno: 400 }, { Authorization: bearer }, '/x/../ws'],
  ['G75 a path with an empty segment', both(400), { Authorization: bearer }, '//ws'],
  ['G75 a path with a needless escape', both(400), { Authorization: bearer }, '/%77s'],
  ['G75 its plain form', both(101), { Authorization: bearer }, '/ws'],
]

describe.each(['bun', 'deno'] as const)('a handshake that %s hands on as a fetch request', (runtime) => {
  const start = scenesIn(runtime, runtime)

  it.each(rows)('%s', async (_, status, headers, target = '/ws') => {
    const scene = await start({ strict: true })
    onTestFinished(() => scene.stop())
    const { client, head } = await rawOpen(scene.port, target, headers)
    expect(head.status).toBe(status[runtime])
    expect(await scene.connections()).toEqual(head.status === 101 ? ['ada'] : [])
    client.destroy()
  })

  it('G76 a ticket is burnt once', async () => {
    const scene = await start({ strict: true })
    onTestFinished(() => scene.stop())
    const target = `/ws?ticket=${await scene.issueTicket()}`
    const statuses = await Promise.all(
      Array.from({ length: 5 }, async () => (await rawOpen(scene.port, target)).head.status),
    )
    expect(statuses.sort()).toEqual([101, 401, 401, 401, 401])
    expect((await scene.events()).filter(({ type }) => type === 'accepted')).toHaveLength(1)
  })
})
