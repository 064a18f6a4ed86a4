// What holds in Cloudflare's runtime. Each costs a start of it.
const adapters = ['runtimes/workerd/contract.test.ts']

const asleep = ['runtimes/workerd/sleep.test.ts']

const of = (file, tests, list) => list.map(([find, replace, why]) => ({ file, find, replace, why, tests }))

export default [
  ...of('stores/objects/store-object.ts', adapters, [
    ['if (this.#ctx.storage.kv.delete(only)) await this.#vanish()', '', 'a ticket opens any number of connections'],
  ]),
  ...of('adapters/workers/worker-gate.ts', adapters, [
    ['if (this.#lookAt <= now) this.onDue()', '', 'a connection outlives its credential'],
    ['      this.#wanted.push(act)\n', '', 'another request ends nobody'],
  ]),
  ...of('adapters/durable-objects/object-door.ts', adapters, [
    ['if (connection) liveConnections(this.#guard).look(connection)', '', 'a connection outlives its credential'],
  ]),
  ...of('adapters/durable-objects/object-door.ts', asleep, [
    ['if (!isKnown && gate?.connection)', 'if (false)', 'a message is let in when nobody knows what is revoked'],
  ]),
  ...of('connections/revoking.ts', asleep, [['    wake(target)\n', '', 'a revocation ends nobody who sleeps']]),
]
