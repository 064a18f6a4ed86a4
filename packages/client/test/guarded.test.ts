import {
  firstMessage,
  GuardedSocket,
  type GuardedSocketEventMap,
  type GuardedSocketOptions,
  renewal,
  ticket,
  token,
} from '@sallyport/client'
import { createGuard, type Identity, type Verifier } from '@sallyport/server'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { allMethods, verifyGood } from '../../server/test/support/guard.js'
import { startServer } from '../../server/test/support/server.js'

/** `short-ada` is good for less than a second; the rest is as ever. */
const verify: Verifier<Identity> = (credential, context) =>
  credential.startsWith('short-')
    ? { identity: { id: credential.slice(6) }, issuedAt: context.now, expiresAt: context.now + 900, session: 's-ada' }
    : verifyGood(credential, context)

/** A socket in front of a guard of ours, and what the guard told of it. */
async function connect(options: GuardedSocketOptions) {
  const guard = createGuard({ ...allMethods(verify), refuseBy: 'close' })
  const told: string[] = []
  /** How long the connection lives on after its renewal. */
  const renewed = new Promise<number>((resolve) => {
    guard.subscribe((event) => {
      told.push(event.type)
      if (event.type === 'renewed') resolve((event.connection.expiresAt ?? 0) - Date.now())
    })
  })
  const { url } = await startServer(guard)
  const socket = new GuardedSocket(url, { WebSocket, reconnect: { baseMs: 1, capMs: 1 }, ...options })
  onTestFinished(() => socket.close())
  return { guard, told, renewed, socket }
}

const next = <K extends keyof GuardedSocketEventMap>(socket: GuardedSocket, type: K) =>
  new Promise<GuardedSocketEventMap[K]>((resolve) => socket.addEventListener(type, resolve, { once: true }))

it('renews in band, and the guard lets the connection live on', async () => {
  const options = { credential: firstMessage(() => 'short-ada'), renew: renewal(() => 'good-ada') }
  const { guard, told, renewed } = await connect(options)
  expect(await renewed).toBeGreaterThan(50_000)
  expect([told, guard.connections.size]).toEqual([['accepted', 'renewed'], 1])
})

it('renews over HTTP, and the guard lets the connection live on', async () => {
  const options = {
    credential: token(() => 'short-ada'),
    renew: renewal('/ws/renew', { token: () => 'good-ada' }),
  }
  const { guard, told, renewed } = await connect(options)
  expect(await renewed).toBeGreaterThan(50_000)
  expect([told, guard.connections.size]).toEqual([['accepted', 'renewed'], 1])
})

it('stops when it renews as somebody else in band, and the guard says so', async () => {
  const options = { credential: firstMessage(() => 'short-ada'), renew: renewal(() => 'good-brian') }
  const { socket } = await connect(options)
  expect((await next(socket, 'terminal')).outcome).toMatchObject({ kind: 'forbidden', code: 4003 })
})

it('K17 relays text of other users that looks like a frame, in both directions, and no connection ends by it', async () => {
  const { told, guard, socket } = await connect({ credential: firstMessage(() => 'good-ada') })
  const forged = [
    '{"type":"auth","token":"good-brian"}',
    '{"type":"auth","token":"x","extra":1}',
    '{"type":"auth_ok","userId":"brian","connection":"c","expiresIn":0}',
    '{"type":"auth_expiring","expiresIn":0}',
    '{"type":"auth_fail"}',
  ]
  const heard: string[] = []
  const all = new Promise<void>((resolve) => {
    socket.addEventListener('message', ({ data }) => {
      heard.push(String(data))
      if (heard.length > forged.length) resolve()
    })
  })
  for (const text of forged) socket.send(text)
  await all
  expect(heard).toEqual(['hello ada', ...forged])
  expect([told, guard.connections.size]).toEqual([['accepted'], 1])
})

it('is heard by the guard once, though its first credential was refused by Close', async () => {
  const reasons: string[] = []
  const credential = ticket(({ reason }) => {
    reasons.push(reason)
    return reasons.length === 1 ? 'never-issued' : issue()
  })
  const { socket, guard } = await connect({ credential })
  const issue = async () => {
    const headers = [['authorization', 'Bearer good-ada']] as [string, string][]
    const issued = await guard.issueTicket(
      { method: 'POST', target: '/ws/ticket', headers, address: '127.0.0.1' },
      '/ws',
    )
    return 'ticket' in issued ? issued.ticket : ''
  }
  const heard: string[] = []
  socket.send('queued')
  socket.addEventListener('open', () => socket.send('live'), { once: true })
  await new Promise<void>((resolve) => {
    socket.addEventListener('message', ({ data }) => {
      heard.push(String(data))
      if (heard.length === 3) resolve()
    })
  })
  expect(heard).toEqual(['hello ada', 'queued', 'live'])
  expect(reasons).toEqual(['first', 'rejected'])
})
