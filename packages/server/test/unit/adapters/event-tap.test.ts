import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { tapEvents } from '../../../src/adapters/node/event-tap.js'

/** An emitter whose `a` is heard, and a tap that takes `a` when it comes with `mine`. */
function start() {
  const emitter = new EventEmitter()
  const heard: unknown[] = []
  const seen: unknown[] = []
  const listen = () => emitter.on('a', (value) => heard.push(value))
  const stop = tapEvents(emitter, (event, [value]) => {
    seen.push(value)
    return event === 'a' && value === 'mine'
  })
  return { emitter, heard, seen, listen, stop }
}

describe('tapEvents', () => {
  it('takes what is ours from those who listen, before and after, and passes on the rest', () => {
    const { emitter, heard, seen, listen } = start()
    listen()
    expect(emitter.emit('a', 'mine')).toBe(true)
    expect(emitter.emit('a', 'theirs')).toBe(true)
    expect(emitter.emit('b', 'mine')).toBe(false)
    expect(heard).toEqual(['theirs'])
    expect(seen).toEqual(['mine', 'theirs', 'mine'])
  })

  it('leaves the emitter as it was', () => {
    const { emitter, heard, listen, stop } = start()
    listen()
    expect(Object.hasOwn(emitter, 'emit')).toBe(true)
    stop()
    expect(Object.hasOwn(emitter, 'emit')).toBe(false)
    emitter.emit('a', 'mine')
    expect(heard).toEqual(['mine'])
  })

  it('leaves it as somebody had wrapped it before', () => {
    const emitter = new EventEmitter()
    const wrapped: unknown[] = []
    const wrapper = (event: string | symbol, ...args: unknown[]) => {
      wrapped.push(event)
      return EventEmitter.prototype.emit.call(emitter, event, ...args)
    }
    emitter.emit = wrapper
    const stop = tapEvents(emitter, () => false)
    emitter.emit('a')
    stop()
    expect(emitter.emit).toBe(wrapper)
    expect(wrapped).toEqual(['a'])
  })

  it('leaves it to who has wrapped it since then', () => {
    const { emitter, heard, seen, listen, stop } = start()
    listen()
    const { emit } = emitter
    const wrapper = (...args: Parameters<typeof emit>) => emit(...args)
    emitter.emit = wrapper
    emitter.emit('a', 'mine')
    expect(heard).toEqual([])
    stop()
    expect(emitter.emit).toBe(wrapper)
    emitter.emit('a', 'mine')
    expect([heard, seen]).toEqual([['mine'], ['mine']])
  })

  it('passes on to what is inherited by then', () => {
    class Traced extends EventEmitter {}
    const emitter = new Traced()
    tapEvents(emitter, () => false)
    const traced: unknown[] = []
    Traced.prototype.emit = function (event, ...args) {
      traced.push(event)
      return EventEmitter.prototype.emit.call(this, event, ...args)
    }
    emitter.emit('a')
    expect(traced).toEqual(['a'])
  })
})
