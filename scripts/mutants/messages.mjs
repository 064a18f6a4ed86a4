// What crosses: the first message, the dialects, the inner door.
import { mutantsOf } from '../mutants-of.mjs'

const life = 'unit/connections/connection-life.test.ts'
const places = 'threats/f-places.test.ts'
const leases = [life, 'threats/f-registry.test.ts', places]
const firstMessages = [
  life,
  'unit/connections/first-message.test.ts',
  'unit/connections/dialects.test.ts',
  'threats/e-first-message.test.ts',
]
const forged = ['threats/e-forged.test.ts']
const dialects = ['unit/connections/dialects.test.ts']
const contract = ['contract/dialects.test.ts']
const innerDoor = ['unit/connections/inner-door.test.ts']
const sockets = 'unit/adapters/sockets.test.ts'
const ws = [
  sockets,
  'unit/adapters/ws.test.ts',
  'unit/connections/inner-door.test.ts',
  'contract/adapter.ws.test.ts',
  places,
]
const slowReaders = ['threats/g-pending.test.ts', 'unit/adapters/ws.test.ts']
const waiting = ['threats/g-waiting.test.ts']
const refused = ['threats/g-refused.test.ts']
const of = mutantsOf()

export default [
  ...of('connections/first-message.ts', dialects, [
    [
      'for (const message of heard.rest) kept.push(wire.write(message))',
      '{}',
      'the application never sees what is its own',
    ],
    [
      "        } catch (error) {\n          fail('internal-error', { error })\n",
      '        } catch {\n',
      'a dialect that throws waits',
    ],
    ["return fail('credential-absent')", 'return', 'who says no credential is neither refused nor let in'],
  ]),
  ...of('connections/accepted-socket.ts', contract, [
    ['letIn(rest.map(wire.write))', 'letIn()', 'the application never sees what came with a renewal'],
    ['      if (this.#held) {\n', '      if (false) {\n', 'what is behind a renewal overtakes it'],
  ]),
  ...of('connections/undecided.ts', dialects, [
    [
      'connection && acknowledge(connections, connection)',
      'connection && (acknowledge(connections, connection) || true)',
      'the application sees a connection that is over',
    ],
  ]),
  ...of('connections/tell.ts', dialects, [
    ["connections.end(connection, 'internal', { error })", '', 'a dialect that throws has said nothing'],
  ]),
  ...of('dialects/plain.ts', forged, [
    [
      'nonceOf(frame) === this.#nonce ? heard(frame) : undefined',
      'heard(frame)',
      'text that a client relays renews, or ends, its connection',
    ],
    ['    const nonce = this.#nonce\n', '    const nonce = undefined\n', 'a client cannot tell our frames from others'],
    ["{ type: 'auth_fail', nonce }", "{ type: 'auth_fail' }", 'a refusal without the nonce of the client'],
    ['    this.#nonce = nonceOf(frame)\n', '', 'the nonce is forgotten with the first message'],
  ]),
  ...of('connections/undecided.ts', leases, [
    [
      'onAbandon: (verdict) => connections.abandon(verdict)',
      'onAbandon: () => {}',
      'a place is taken by a client that left during its first message',
    ],
  ]),
  ...of('connections/first-message.ts', firstMessages, [
    ['if (!pending) return asked.onAbandon(verdict)', 'if (!verdict) return', 'a verdict that comes too late counts'],
    [
      'if (transport.isOpen) asked.onAccept(verdict, kept, conversation)\n      else asked.onAbandon(verdict)',
      'asked.onAccept(verdict, kept, conversation)',
      'a socket that is closing becomes a connection',
    ],
    ["if (state === 'waiting') fail('message-late')", '', 'a socket waits for ever'],
    ["if (state !== 'waiting') return false", '', 'a socket whose credential is verified is thrown out'],
    ["if (state === 'waiting') fail('credential-too-large')\n", '', 'a socket without a credential sends for ever'],
    ["if (state === 'verifying') keepBack()", '', 'what follows the credential is kept without bound'],
    [
      'received > wait.maxBytes + maxKeptBytes',
      'false',
      'where nobody can stop reading, what follows the credential is kept without bound',
    ],
    [
      "} else if (state === 'waiting') {",
      '} else {',
      'a second guess on the same socket',
      'Equivalent: a socket that is decided has let go of the guard, and its gate is shut.',
    ],
  ]),
  ...of('connections/inner-door.ts', innerDoor, [
    ['return messages > messagesPerSecond', 'return false', 'a flood'],
    ['return permission === true', 'return true', 'a message that was denied'],
    [
      'message === undefined || !connections.isOpen(connection)',
      'message === undefined',
      'a message that waited crosses after the end',
    ],
    [
      '?? false',
      '?? true',
      'a message that nobody was asked about',
      'Equivalent: only what `authorize` was asked about waits, so that it is there.',
    ],
    ['if (!connections.isOpen(connection)) return false', '', 'a message crosses after the end'],
    ["if (!waiting.add(message)) connections.end(connection, 'limited')", 'waiting.add(message)', 'messages vanish'],
    ['    if (takes?.(message)) return false\n', '', 'the application sees a credential'],
  ]),
  ...of('connections/backlog.ts', innerDoor, [
    ['    if (this.#isFull) this.#transport.pause?.()\n', '', 'any number of messages wait'],
    ['this.#messages.length >= maxMessages || ', '', 'any number of small messages waits'],
    [' || this.#bytes >= maxBytes', '', 'messages of any size wait'],
    ['if (this.#lateBytes > maxLateBytes) return false', '', 'what was compressed waits without bound'],
    ['if (message !== undefined) this.#bytes -= this.#sizeOf(message)', '', 'what is delivered still waits'],
  ]),
  ...of(
    'connections/first-message.ts',
    [...refused, ...firstMessages],
    [['    pending?.onDecided()\n', '', 'who is refused by its first message keeps its place']],
  ),
  ...of('dialects/dialect.ts', ws, [
    ['if (canBeSent(code)) continue', 'continue', 'a dialect whose code cannot be sent ends the process'],
  ]),
  ...of('connections/accepted-socket.ts', waiting, [
    ['      takes: (message) => this.#isTaken(message),\n', '', 'frames of the guard flood it'],
  ]),
  ...of('connections/accepted-socket.ts', ws, [
    ['return connections === this.#options.connections ?', 'return true ?', "a connection of another guard's identity"],
  ]),
  ...of('connections/accepted-socket.ts', ws, [
    ['return !this.#isTaken(message) && ', 'return ', 'the application sees a credential'],
    ['this.#mayPass(message) : ', 'true : ', 'a message that may not pass'],
    [' && this.#options.connections.isOpen(this.#connection)', '', 'a message crosses behind the deadline'],
    ['options.messagesPerSecond !== undefined', 'false', 'a rate that holds only beside an authorize'],
    [
      '  beforeSend(): void {\n    this.#options.connections.isOpen(this.#connection)\n',
      '  beforeSend(): void {\n',
      'the application sends to who is no longer authenticated',
    ],
    ['    gated.sends = this\n', '', 'nobody looks after what is sent'],
  ]),
  ...of('connections/accepted-socket.ts', slowReaders, [
    ["    this.#options.connections.end(this.#connection, 'limited')\n", '', 'a slow reader leaves without an event'],
    ['    this.#gated.terminate?.()\n', '', 'a slow reader keeps what waits for it until it has ignored a Close'],
    [
      'this.#gated.bufferedAmount <= this.#options.maxBufferedBytes',
      'this.#gated.bufferedAmount <= 0',
      'a reader of a moment ago is ended',
    ],
  ]),
]
