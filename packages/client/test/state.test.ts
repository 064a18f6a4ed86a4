import { type SocketState, stateOf } from '@sallyport/client'
import { describe, expect, it } from 'vitest'
import { settled, start } from './fakes.js'

/** What a subscriber is told, in order. */
function follow(started: ReturnType<typeof start>) {
  const { snapshot, subscribe } = stateOf(started.socket)
  const told: SocketState[] = []
  const stop = subscribe((state) => {
    expect(state).toBe(snapshot())
    told.push(state)
  })
  return { told, stop, statuses: () => told.map(({ status }) => status) }
}

describe('stateOf', () => {
  it('tells the state at once, and every change after it', async () => {
    const started = start()
    const { told, statuses } = follow(started)
    await started.open()
    started.current().end(1012)
    expect(told.at(-1)).toEqual({
      status: 'reconnecting',
      outcome: { kind: 'unavailable', code: 1012 },
      attempt: 1,
      delayMs: 5_000,
    })
    await started.retry()
    await started.open()
    started.socket.close()
    started.current().end(1000)
    expect(statuses()).toEqual(['connecting', 'open', 'reconnecting', 'open', 'closing', 'closed'])
    expect(told.at(-1)).toEqual({ status: 'closed' })
  })

  it('tells every failure, also when the status stays', async () => {
    const started = start()
    const { told } = follow(started)
    for (const attempt of [1, 2]) {
      await settled()
      started.current().break()
      expect(told).toHaveLength(1 + attempt)
      expect(told.at(-1)).toMatchObject({ status: 'reconnecting', attempt, outcome: { kind: 'network' } })
      await started.retry()
    }
  })

  it('says why the socket gave up, and forgets it at reset()', async () => {
    const started = start()
    const { told } = follow(started)
    await started.open()
    started.current().end(4003)
    expect(told.at(-1)).toEqual({ status: 'closed', outcome: { kind: 'forbidden', code: 4003 } })
    started.socket.reset()
    expect(told.at(-1)).toEqual({ status: 'connecting' })
  })

  it('says nothing of the failure before, when the application closes', async () => {
    const started = start()
    const { told } = follow(started)
    await settled()
    started.current().break()
    started.socket.close()
    await settled()
    expect(told.at(-1)).toEqual({ status: 'closed' })
  })

  it('knows what happened before anybody asked', async () => {
    const started = start()
    await settled()
    started.current().end(4010)
    expect(stateOf(started.socket).snapshot()).toMatchObject({ status: 'closed', outcome: { kind: 'revoked' } })
  })

  it('is one store for a socket, and one object until something changes', async () => {
    const started = start()
    expect(stateOf(started.socket)).toBe(stateOf(started.socket))
    const { snapshot } = stateOf(started.socket)
    await started.open()
    const open = snapshot()
    started.current().receive('a message')
    expect(snapshot()).toBe(open)
  })

  it('tells no more to who has left', async () => {
    const started = start()
    const [stays, leaves] = [follow(started), follow(started)]
    leaves.stop()
    await started.open()
    expect([stays.statuses(), leaves.statuses()]).toEqual([['connecting', 'open'], ['connecting']])
  })

  it('lets a listener close or reset the socket', async () => {
    const started = start()
    const { statuses } = follow(started)
    const stop = stateOf(started.socket).subscribe(({ status }) => status === 'open' && started.socket.close())
    await started.open()
    started.current().end(1000)
    expect(statuses()).toEqual(['connecting', 'open', 'closing', 'closed'])
    stop()
    stateOf(started.socket).subscribe(({ outcome }) => outcome?.kind === 'forbidden' && started.socket.reset())
    started.socket.reset()
    await started.open()
    started.current().end(4003)
    expect(statuses().slice(4)).toEqual(['connecting', 'open', 'closed', 'connecting'])
  })
})
