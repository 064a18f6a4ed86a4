// What holds in Cloudflare's runtime. Each costs a start of it.
import { mutantsOf } from '../mutants-of.mjs'

const adapters = ['runtimes/workerd/contract.test.ts']

const asleep = ['runtimes/workerd/sleep.test.ts']

const sleepers = ['unit/connections/sleepers.test.ts']
const speaking = ['contract/dialects.test.ts']

const of = mutantsOf()

export default [
  ...of('adapters/fetch/fetch-route.ts', adapters, [
    ['andThen(this.#look(), decide)', 'decide()', 'a decision rests on what was known when the runtime last looked'],
  ]),
  ...of('routes.ts', adapters, [
    ['if (look) await look()', '', 'a ticket is issued by what was known when the runtime last looked'],
  ]),
  ...of(
    'stores/objects/object-store.ts',
    ['unit/stores/objects/object-store.test.ts'],
    [
      [
        'this.#isTold ? (this.#failingSince ?? this.#options.clock.now()) : this.#lookedAt',
        'this.#lookedAt && (this.#failingSince ?? this.#options.clock.now())',
        'an isolate that was idle goes by what it knew, however long ago that was',
      ],
      [
        'isSubscribed && object.binding !== undefined',
        'object !== undefined',
        'an object whom nobody tells of news goes by what it knew, however long ago that was',
      ],
      [
        '    this.#isTold = false\n',
        '',
        'an object that has left the log goes by what it knew, however long ago that was',
      ],
    ],
  ),
  ...of(
    'stores/objects/log-table.ts',
    ['runtimes/workerd/store.test.ts'],
    [
      [
        'ORDER BY n LIMIT ?',
        'ORDER BY n LIMIT 1000000 + ?',
        'an isolate that is new accepts nobody where the log is long',
      ],
    ],
  ),
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
    ['    this.#alarm.taken()\n', '', 'a connection outlives its credential once another one has ended'],
    ['if (!isKnown && gate?.connection)', 'if (false)', 'a message is let in when nobody knows what is revoked'],
    ['this.#late === 0 && ', '', 'a message overtakes the one that has woken the object, and a Close the last words'],
    [
      'if (!this.#gates.delete(socket) || !connection) return',
      'this.#gates.delete(socket)\n    if (!connection) return',
      'the application is told twice of one socket that is gone',
    ],
    [
      '    for (const [key] of [...kv.list({ prefix: keyPrefix })]) kv.delete(key)\n',
      '',
      'who they were whose sockets went with the runtime stays in the storage for ever',
    ],
  ]),
  ...of(
    'adapters/durable-objects/object-news.ts',
    ['unit/adapters/durable-objects/object-news.test.ts'],
    [
      [
        " || guard.health.store !== 'current'",
        '',
        'an object whom nobody tells of news goes by a look that has failed',
      ],
    ],
  ),
  ...of('adapters/durable-objects/object-attachment.ts', asleep, [
    [
      '  if (connection !== undefined) storage.kv.delete(keyOf(connection))\n',
      '',
      'who has left stays in the storage while others are there',
    ],
  ]),
  ...of('adapters/durable-objects/object-gate.ts', asleep, [
    ['too often.\n    this.#owner.wakeAt(lookAt)', 'too often.', 'connections outlive an alarm that was given up'],
  ]),
  ...of('connections/revoking.ts', asleep, [
    ['    wake(target)\n', '', 'a revocation ends nobody who sleeps'],
    ['    wake(named)\n', '', 'a revocation says that it has closed nobody who slept'],
  ]),
  ...of('connections/connections.ts', asleep, [
    ['    connection.transport.gone?.()\n', '', 'who is revoked stays among those present by answering no Close'],
  ]),
  ...of('connections/connections.ts', sleepers, [
    [
      'begin(connection)\n    const revocation = this.log.find(connection.accept)\n    if (revocation)',
      'const revocation = this.log.find(connection.accept)\n    if (!revocation) begin(connection)\n    if (revocation)',
      'the application is not told that somebody is gone who was revoked while asleep',
    ],
    ["    this.sleepers?.wake('all')\n", '', 'a drain leaves who sleeps'],
    [
      '      return revive(record, transport, this.#onClosed)\n    } catch (error) {',
      '      return revive(record, transport, this.#onClosed)\n    } catch (error) {\n      throw error',
      'one broken connection keeps the others from their end',
    ],
  ]),
  ...of('connections/record.ts', sleepers, [
    [
      'converseIn(transport.dialect, memory)',
      'converseIn(transport.dialect)',
      'what others write renews a connection that has slept, and a credential is shown to the application',
    ],
  ]),
  ...of('dialects/plain.ts', speaking, [
    ['    this.#nonce = nonce\n  }\n\n  get', '  }\n\n  get', 'what others write renews a connection that has slept'],
  ]),
]
