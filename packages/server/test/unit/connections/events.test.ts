import type { GuardEvent } from '@sallyport/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Events } from '../../../src/connections/events.js'
import { nextTurn } from '../../support/deferred.js'

const event: GuardEvent = { type: 'refused', id: 'r1', reason: 'path-unknown', path: '/ws', address: '192.0.2.1' }

describe('Events', () => {
  it('tells every listener, in the order they came', () => {
    const events = new Events()
    const told: unknown[] = []
    events.subscribe((event) => told.push(['first', event]))
    events.subscribe((event) => told.push(['second', event]))
    events.emit(event)
    expect(told).toEqual([
      ['first', event],
      ['second', event],
    ])
  })

  it('tells a listener nothing once it has left', () => {
    const events = new Events()
    const told: string[] = []
    const leave = events.subscribe(() => told.push('left'))
    events.subscribe(() => told.push('stayed'))
    leave()
    leave()
    events.emit(event)
    expect(told).toEqual(['stayed'])
  })

  it('tells the others, when a listener throws', () => {
    const events = new Events()
    const told: string[] = []
    events.subscribe(() => {
      throw new Error('listener bug')
    })
    events.subscribe(() => told.push('told'))
    expect(() => events.emit(event)).not.toThrow()
    expect(told).toEqual(['told'])
  })

  it('leaves no rejection unhandled, when an asynchronous listener fails', async () => {
    // In place of those of the test runner, which would report it as its own failure.
    const runner = process.listeners('unhandledRejection')
    const unhandled: unknown[] = []
    process.removeAllListeners('unhandledRejection')
    process.on('unhandledRejection', (reason) => unhandled.push(reason))
    onTestFinished(() => {
      process.removeAllListeners('unhandledRejection')
      for (const listener of runner) process.on('unhandledRejection', listener)
    })
    const events = new Events()
    const told: string[] = []
    events.subscribe(async () => {
      throw new Error('listener bug')
    })
    events.subscribe(() => told.push('told'))
    events.emit(event)
    await nextTurn()
    expect(unhandled).toEqual([])
    expect(told).toEqual(['told'])
  })
})
