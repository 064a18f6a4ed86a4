import { type Accept, createGuard, header, type Identity, memoryStore } from '@sallyport/server'
import { expect, it } from 'vitest'
import { liveConnections } from '../../src/connections/of-guard.js'
import { testClock } from '../support/clock.js'
import { followerOf } from '../support/follower.js'
import { verifyGood } from '../support/guard.js'
import { handshake } from '../support/handshake.js'
import { stepsOf } from '../support/steps.js'
import { fakeTransport } from '../support/transport.js'

const replaced = ['shut', 'close 4009 Replaced']

/** Nodes on one store, and one user who connects to them in turn; each connection takes the place of the one before. */
function reconnecting(count: number) {
  const clock = testClock()
  const store = memoryStore({ clock })
  const kept: (() => number)[] = []
  const nodes = Array.from({ length: count }, () =>
    createGuard({
      accept: [header({ verify: verifyGood })],
      connectionsPerIdentity: { max: 1, whenFull: 'replace' },
      clock,
      store: {
        ...store,
        follow(follower) {
          kept.push(() => [...follower.entries()].length)
          return store.follow(follower)
        },
      },
    }),
  )
  let open: ReturnType<typeof fakeTransport> | undefined
  let turn = 0

  async function reconnect(times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      clock.advance(100)
      const connections = liveConnections(nodes[turn++ % count]!)
      const accept: Accept<Identity> = {
        type: 'accept',
        method: 'header',
        identity: { id: 'ada' },
        vouchedAt: clock.now(),
      }
      const transport = fakeTransport()
      const admitted = await connections.takePlace(accept)
      connections.open(admitted!, handshake(), transport)
      if (open) expect(open.calls).toEqual(replaced)
      open?.drop()
      open = transport
    }
  }

  /** How many entries there are: those that each node keeps, and those of the store. */
  const entries = () => [...kept.map((count) => count()), followerOf(store).entries.length]
  return { nodes, reconnect, entries }
}

it.each([1, 2])(
  'F37 30,000 reconnections of one user, each in place of the last, leave nothing: on %i nodes',
  {
    timeout: 120_000,
  },
  async (count) => {
    const { nodes, reconnect, entries } = reconnecting(count)
    const steps: number[] = []
    for (let round = 0; round < 3; round++) {
      const counting = stepsOf(() => reconnect(10_000))
      steps.push(await counting)
      expect(entries()).toEqual(Array(count + 1).fill(0))
    }
    expect(steps[2]).toBeLessThan(1.5 * steps[0]!)
    expect(nodes.reduce((all, { connections }) => all + connections.size, 0)).toBe(1)
  },
)
