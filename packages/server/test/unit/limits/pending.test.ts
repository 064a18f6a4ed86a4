import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Pending, type Place } from '../../../src/limits/pending.js'

const setUp = (pendingSockets = 3, pendingPerAddress = 2) => new Pending({ pendingSockets, pendingPerAddress })
const enter = (pending: Pending, address: string): Place => {
  const place = pending.enter(address)
  if (!place) throw new Error(`there is no place for ${address}`)
  return place
}

describe('Pending', () => {
  it('has as many places as it is told, in all', () => {
    const pending = setUp()
    const first = enter(pending, '192.0.2.1')
    enter(pending, '192.0.2.2')
    enter(pending, '192.0.2.3')
    expect(pending.enter('192.0.2.4')).toBeUndefined()
    expect(pending.size).toBe(3)
    first.leave()
    expect(pending.enter('192.0.2.4')).toBeDefined()
  })

  it('has as many as it is told for an address, and the others are for others', () => {
    const pending = setUp()
    const first = enter(pending, '192.0.2.1')
    enter(pending, '192.0.2.1')
    expect(pending.enter('192.0.2.1')).toBeUndefined()
    const other = enter(pending, '192.0.2.2')
    other.leave()
    first.leave()
    expect(pending.enter('192.0.2.1')).toBeDefined()
  })

  it('takes a /64 of IPv6 for one address', () => {
    const pending = setUp()
    enter(pending, '2001:db8:0:1::1')
    enter(pending, '2001:db8:0:1:ffff:ffff:ffff:ffff')
    expect(pending.enter('2001:db8::1:0:0:0:2')).toBeUndefined()
    expect(pending.enter('2001:db8:0:2::1')).toBeDefined()
  })

  it('gives a place back once', () => {
    const pending = setUp()
    const place = enter(pending, '192.0.2.1')
    enter(pending, '192.0.2.1')
    place.leave()
    place.leave()
    expect(pending.size).toBe(1)
    enter(pending, '192.0.2.1')
    expect(pending.enter('192.0.2.1')).toBeUndefined()
  })

  describe('when it is full of sockets that wait', () => {
    /** A place whose holder only waits, and writes down when it has to go. */
    function waiting(pending: Pending, address: string, evicted: string[], name = address) {
      const place = enter(pending, address)
      place.wait(() => {
        evicted.push(name)
        return true
      })
      return place
    }

    it('makes room: the one that has waited longest goes', () => {
      const pending = setUp()
      const evicted: string[] = []
      for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) waiting(pending, address, evicted)
      enter(pending, '192.0.2.4')
      expect(evicted).toEqual(['192.0.2.1'])
      enter(pending, '192.0.2.5')
      expect(evicted).toEqual(['192.0.2.1', '192.0.2.2'])
      expect(pending.size).toBe(3)
    })

    it('makes room for an address among its own', () => {
      const pending = setUp(10, 2)
      const evicted: string[] = []
      waiting(pending, '192.0.2.2', evicted, 'a neighbour')
      waiting(pending, '192.0.2.1', evicted, 'first')
      waiting(pending, '192.0.2.1', evicted, 'second')
      enter(pending, '192.0.2.1')
      expect(evicted).toEqual(['first'])
      enter(pending, '192.0.2.1')
      expect(evicted).toEqual(['first', 'second'])
      expect(pending.enter('192.0.2.1')).toBeUndefined()
      expect(pending.size).toBe(3)
    })

    it('lets those stay that have a credential by now', () => {
      const pending = setUp(3, 3)
      const evicted: string[] = []
      const verifying = enter(pending, '192.0.2.1')
      verifying.wait(() => false)
      enter(pending, '192.0.2.2').wait(() => false)
      waiting(pending, '192.0.2.3', evicted)
      enter(pending, '192.0.2.4')
      expect(evicted).toEqual(['192.0.2.3'])
      expect(pending.enter('192.0.2.5')).toBeUndefined()
      expect(pending.size).toBe(3)
      verifying.leave()
      expect(pending.enter('192.0.2.5')).toBeDefined()
    })

    it('knows no more of one that has left', () => {
      const pending = setUp(2, 2)
      const evicted: string[] = []
      waiting(pending, '192.0.2.1', evicted).leave()
      const left = enter(pending, '192.0.2.2')
      left.leave()
      left.wait(() => evicted.push('left') > 0)
      enter(pending, '192.0.2.3')
      enter(pending, '192.0.2.4')
      expect(pending.enter('192.0.2.5')).toBeUndefined()
      expect(evicted).toEqual([])
    })

    it('may be told of the leave by the one that goes', () => {
      const pending = setUp(1, 1)
      const place = enter(pending, '192.0.2.1')
      place.wait(() => {
        place.leave()
        return true
      })
      enter(pending, '192.0.2.2')
      expect(pending.size).toBe(1)
    })
  })

  it('never has more than it may, and is empty in the end, whatever happens', () => {
    const step = fc.record({ kind: fc.constantFrom('enter', 'wait', 'verify', 'leave'), pick: fc.nat(20) })
    /** Whether none of them only waits, and would make room. */
    const isDecisive = (some: { state: string }[]) => some.every(({ state }) => state !== 'waiting')
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pending = setUp(4, 2)
        const inside = new Map<Place, { address: string; state: string }>()
        for (const { kind, pick } of steps) {
          const [place, entry] = [...inside][pick % Math.max(1, inside.size)] ?? []
          if (kind === 'enter') {
            const address = `192.0.2.${pick % 4}`
            const all = [...inside.values()]
            const rivals = all.filter((one) => one.address === address)
            const isFull = rivals.length >= 2 ? isDecisive(rivals) : all.length >= 4 && isDecisive(all)
            const entered = pending.enter(address)
            expect(entered === undefined).toBe(isFull)
            if (entered) inside.set(entered, { address, state: 'new' })
          } else if (place && entry) {
            if (kind === 'leave') {
              place.leave()
              inside.delete(place)
            } else if (kind === 'wait' && entry.state === 'new') {
              entry.state = 'waiting'
              place.wait(() => {
                if (entry.state !== 'waiting') return false
                inside.delete(place)
                return true
              })
            } else if (kind === 'verify') entry.state = 'verifying'
          }
          expect(pending.size).toBe(inside.size)
          expect(inside.size).toBeLessThanOrEqual(4)
          for (const { address } of inside.values()) {
            expect([...inside.values()].filter((one) => one.address === address).length).toBeLessThanOrEqual(2)
          }
        }
        for (const place of inside.keys()) place.leave()
        expect(pending.size).toBe(0)
        for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.2']) enter(pending, address)
      }),
    )
  })
})
