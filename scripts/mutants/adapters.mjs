// The adapters: sockets, their servers and runtimes.
import { mutantsOf } from '../mutants-of.mjs'

const places = 'threats/f-places.test.ts'
const sockets = 'unit/adapters/sockets.test.ts'
const ws = [
  sockets,
  'unit/adapters/ws.test.ts',
  'unit/connections/inner-door.test.ts',
  'contract/adapter.ws.test.ts',
  places,
]
const nest = ['nest/gateways.test.ts', 'nest/contract.test.ts']
const bun = ['runtimes/adapter.bun.test.ts']
const deno = ['runtimes/adapter.deno.test.ts']
const crossws = ['unit/adapters/crossws.test.ts', 'contract/adapter.crossws.test.ts']
const slowReaders = ['threats/g-pending.test.ts', 'unit/adapters/ws.test.ts']
const waiting = ['threats/g-waiting.test.ts']
const refused = ['threats/g-refused.test.ts']
const of = mutantsOf()

export default [
  ...of(
    'adapters/node/head-deadline.ts',
    ['unit/adapters/head-deadline.test.ts'],
    [
      ['    cancelTimer ??= clock.after(ms, onTimer)\n', '', 'a silent connection stays for ever'],
      ['oldest && clock.after(oldest.due - now, onTimer)', 'undefined', 'all but the first stay for ever'],
      ['if (due > now) break', '', 'a connection ends with another that came before it'],
      ['if (requestEvents.has(event)) onHead', 'if (false) onHead', 'a connection ends whose request has come'],
      ['isSecure ? undefined : tcp', 'tcp', 'a word in the clear into a connection of TLS'],
      ['if (waiting.size >= sweepAt) sweep()', '', 'connections that have left are held for ten seconds, however many'],
      ['    if (entry) entry.http = http\n', '', 'a connection of TLS ends without an answer'],
      ['    cancelTimer?.()\n', '', 'a timer for nobody'],
      ['if (socket.bytesRead > 0) socket.write', 'socket.write', 'an answer to who has asked nothing'],
      ['socket.remotePort === undefined ? undefined :', '', 'one peer of a Unix socket speaks for all'],
    ],
  ),
  ...of(
    'adapters/node/next-heads.ts',
    ['unit/adapters/next-heads.test.ts'],
    [
      ['    serving.set(socket, Number.POSITIVE_INFINITY)\n', '', 'what a WebSocket sends is taken for a slow head'],
      ['socket.bytesRead > entry.bytesRead', 'false', 'a second head may take as long as it likes'],
      ['socket.bytesRead > entry.bytesRead', 'true', 'an idle connection is taken for a slow one'],
      ['if (request.complete) onDone()', 'if (true) onDone()', 'the rest of a body is taken for a head'],
      ['if (left > 0 || ', 'if (', 'a request is ended that is still served'],
      ['    forget(socket)\n    serving', '    serving', 'a connection ends whose second head has come'],
      ['    cancelTimer?.()\n', '', 'a timer for nobody'],
    ],
  ),
  ...of(
    'adapters/node/event-tap.ts',
    ['unit/adapters/event-tap.test.ts'],
    [
      ['if (tap(event, args)) return true', 'tap(event, args)', 'others see what is ours'],
      ['ours.taps.filter((other) => other !== tap)', 'ours.taps', 'a path that was given back is still taken'],
      ['if (ours.taps.length === 0) ours.restore()', '', 'an emitter that nobody watches stays changed'],
    ],
  ),
  ...of(
    'adapters/node/stand-in.ts',
    ['unit/adapters/upgrades.test.ts'],
    [
      ['if (removed === event) process.nextTick(stand)', '', 'upgrades become requests when the last listener goes'],
      [
        'if (added === event && listener !== standIn) server.off(event, standIn)',
        '',
        'a listener that is alone thinks that it is not',
      ],
    ],
  ),
  ...of(
    'adapters/node/taken.ts',
    ['unit/adapters/upgrades.test.ts'],
    [
      ['if (!isTaken()) then()', 'then()', 'a refusal into what others write'],
      ['writtenOf(socket) !== written', 'false', 'a refusal behind what others have written'],
      ['socket.readableFlowing !== null', 'false', 'a refusal to who is read by others'],
      [
        'else cancel = look(touchedGrace - untouchedGrace, callback)',
        'else callback()',
        'others have a second to think',
      ],
      ["  socket.once('close', () => cancel())\n", '', 'timers for peers that are gone'],
    ],
  ),
  ...of(
    'adapters/node/upgrades.ts',
    [sockets, 'unit/adapters/upgrades.test.ts', 'unit/adapters/ws.test.ts', 'threats/a-upgrade.test.ts'],
    [
      ["  socket.on('error', ignore)\n", '', 'a reset ends the process'],
      ['  limitRest(socket)\n', '', 'a refusal is lost when the peer still sends'],
      ['      unlessTaken(socket, clock, turnAway)\n', '', 'an upgrade that nobody takes stays open for ever'],
      ['    if (place === -1) return\n', '', 'a path is given back by who has it no more'],
      ['if (covers(first, path))\n', 'if (false)\n', 'a route that is never asked'],
      ['if (params && owed.on(socket))', 'if (false)', 'the answer to another request is taken for frames'],
      [
        "if (response) response.once('close', ",
        "if (false) response?.once('close', ",
        'a refusal is taken for the answer to another request',
      ],
    ],
  ),
  ...of('adapters/ws/other-servers.ts', ws, [
    ['if (!options.noServer) {', 'if (false) {', 'another listener upgrades what is guarded'],
    ["if (typeof options.WebSocket !== 'function') {", 'if (false) {', 'messages of an old ws go around the gate'],
  ]),
  ...of('adapters/node/rest.ts', refused, [
    ['if (bytes > maxRest) socket.destroy()', '', 'who is refused sends for a whole second'],
  ]),
  ...of('adapters/ws/gated-socket.ts', refused, [
    ['    limitRest(this.#socket)\n', '', 'ws puts together what comes behind the end'],
  ]),
  ...of('adapters/ws/arrival.ts', refused, [
    [
      '      this.#leave()\n      this.#options.connections.undecided.turnAway',
      '      this.#options.connections.undecided.turnAway',
      'who is refused by Close keeps its place',
    ],
    ['    this.#leave()\n    refuseSocket', '    refuseSocket', 'who is refused by status keeps its place'],
  ]),
  ...of('adapters/ws/gated-socket.ts', ws, [
    ["if (event === 'message') {", 'if (false) {', 'messages go around the gate'],
    [
      "if (event === 'error' && this.listenerCount(event) === 0) return super.emit(errorMonitor, ...args)\n",
      '\n',
      'a broken frame ends the process',
    ],
    ["      if (event === 'close') gated.closed()\n", '', 'a connection that is gone counts as live'],
    ['if (deliver in Base.prototype) return', '', 'a gate before the gate, for each route'],
    ['      sends?.beforeSend()\n', '', 'the application sends to who is no longer authenticated'],
    ['    this.#receiver = nobody\n', '', 'messages cross behind the Close'],
    ['if (!this.#isShut) this.#receiver', 'this.#receiver', 'messages cross behind the Close, when it comes early'],
    [
      'if (this.webSocket.readyState === WebSocket.CLOSED) listener.closed()',
      '',
      'a socket that was gone before counts as live',
    ],
  ]),
  ...of('adapters/ws/arrival.ts', ws, [
    ["    this.socket.on('close', this.#onClose)\n", '', 'a place is never left'],
    [
      '    if (this.#verdict) this.#options.connections.abandon(this.#verdict)\n',
      '',
      'a place of an identity is taken by a client that has left',
    ],
    ['if (this.socket.destroyed) this.#giveUp()', 'if (false) {}', 'a place is taken by a client that has left'],
  ]),
  ...of(
    'adapters/ws/gated-socket.ts',
    ['threats/h-heartbeat.test.ts'],
    [
      ['this.#ping.isUnderWay || this.#ping.isAnswered', 'this.#ping.isAnswered', 'a clock that jumps ends everybody'],
      ['bytesReadOf(this.#socket) !== this.#ping.bytesRead ||', '', 'a peer that sends a long message is ended'],
    ],
  ),
  ...of('adapters/ws/complete.ts', ws, [
    [
      "else if (headers['sec-websocket-protocol'] !== undefined) delete headers['sec-websocket-protocol']\n",
      '\n',
      'a credential is echoed as the subprotocol',
    ],
    [
      '    upgrade.webSocketServer.clients?.delete(gated.webSocket)\n',
      '',
      'a broadcast reaches a socket between the doors',
    ],
    ["  delete upgrade.request.headers['sec-websocket-extensions']\n", '', 'a stranger has messages inflated'],
  ]),
  ...of('adapters/ws/gated-socket.ts', waiting, [
    [
      'if (this[gate]) this[gate].pausedByApplication(false)',
      'if (false) {}',
      'the application opens what the guard has paused',
    ],
    ['this.#isShut || !(', '!(', 'a peer cannot answer the Close'],
    [' || this.#isPausedByApplication)', ')', 'the guard opens what the application has paused'],
    [
      'if (Array.isArray(data)) return data.reduce',
      'if (Array.isArray(data)) return 0 * data.reduce',
      'messages in fragments wait without bound',
    ],
    ['data instanceof Blob ? data.size', 'data instanceof Blob ? 0', 'messages as blobs wait without bound'],
  ]),
  ...of('adapters/ws/hand-over.ts', ws, [
    [
      'isHeard(webSocket) ? accepted.letIn([message]) : hold(',
      'accepted.letIn(',
      'messages are lost ahead of a listener',
    ],
    ['    hold(kept)\n', '', 'messages behind the first are lost ahead of a listener'],
  ]),
  ...of('adapters/ws/gated-socket.ts', slowReaders, [
    ['      sends?.afterSend()\n', '', 'what waits for a slow reader grows without bound'],
    ["      if (event === 'ping') gated.sends?.afterSend()\n", '', 'pongs for a slow reader grow without bound'],
  ]),
  ...of('adapters/crossws/peer-gate.ts', crossws, [
    ['if (!gate.maySend()) return undefined\n', '\n', 'the application sends to who is between the doors, or over'],
    ['      gate.hasSent()\n', '', 'what waits for a slow reader grows without bound'],
    ['    peers.delete(this.#peer as never)\n', '', 'who is between the doors, or over, hears what all hear'],
    ['this.#peer.unsubscribe(topic)', 'this.#peer', 'who is over hears what is published'],
    ['    this.#hide()\n    showProtocol', '    showProtocol', 'who is between the doors hears what all hear'],
    [
      'override whenShut(): void {\n    this.#hide()\n',
      'override whenShut(): void {\n',
      'who is over hears what all hear',
    ],
    ["    this.#socket.on('data', onData)\n", '', 'a message without a credential is as long as the framework allows'],
    ['    limitRest(this.#socket)\n', '', 'who has been told that it is over goes on to send'],
    ["name === 'protocol' ? protocol : ", '', 'crossws shows the application a credential as the subprotocol'],
  ]),
  ...of('adapters/fetch/socket-gate.ts', crossws, [
    ['this.#isShut || !this.sends', 'false', 'the application sends to who is between the doors, or over'],
    ['    this.sends.beforeSend()\n', '', 'the application sends to who is no longer authenticated'],
    ['    this.#receiver = nobody\n', '', 'messages cross behind the Close'],
    [
      'else this.#count?.(this.sizeOf(message))',
      '',
      'a peer without a credential sends for ever where no byte can be seen',
    ],
    ['this.#rest > maxRest', 'false', 'who has been told that it is over goes on to send, where no byte can be seen'],
  ]),
  ...of('adapters/fetch/passage.ts', crossws, [
    [
      'if (this.#expected) liveConnections(this.#guard).undecided.expect(this)',
      '',
      'a place is held for a peer that never comes',
    ],
    [
      '    if (expected?.verdict) liveConnections(this.#guard).abandon(expected.verdict)\n',
      '',
      'a place among the connections of an identity is held for a peer that never comes',
    ],
    [
      'else liveConnections(this.#guard).abandon(verdict)\n',
      '\n',
      'the same where the peer has left before the verdict',
    ],
    ['done.catch((error: unknown) => this.#accepted?.fail(error))', 'done', 'a hook that rejects ends the process'],
    ['    if (!this.#accepted) return\n', '', 'the application hears of peers that were never accepted'],
  ]),
  ...of('adapters/fetch/fetch-route.ts', bun, [
    ["if ('reason' in place) return refusalResponse(place)", '', 'there is no end to the sockets between the doors'],
    [
      'guard.decide(handshake, this.#admit)',
      'guard.decide({ ...handshake, headers: [] }, this.#admit)',
      'nobody is asked',
    ],
  ]),
  ...of('adapters/bun/bun-gate.ts', bun, [
    ['if (!gated?.maySend()) return 0', '', 'the application sends to who is over'],
    ['      gated.hasSent()\n', '', 'what waits for a slow reader grows without bound'],
    [
      'return this.#isUnanswered && !this.#isUnderWay',
      'return this.#isUnanswered',
      'a clock that jumps ends who is there',
    ],
  ]),
  ...of('adapters/bun/guard-bun.ts', bun, [
    ["'Sec-WebSocket-Protocol': protocol ?? ''", '', 'Bun echoes a credential as the subprotocol'],
    ['        gateOf(ws)?.passage.closed()\n', '', 'the registry holds who is gone'],
  ]),
  ...of('adapters/fetch/event-gate.ts', deno, [
    ['if (!this.maySend()) return', '', 'the application sends to who is over'],
    ['if (this.#coming) event.stopImmediatePropagation()', '', 'messages cross behind the Close'],
  ]),
  ...of('adapters/deno/guard-deno.ts', deno, [
    [
      'setImmediate(() => super.writeClose(code, reason))',
      'super.writeClose(code, reason)',
      'a Close is lost that meets a message',
    ],
  ]),
  ...of('adapters/crossws/upgrade-answer.ts', crossws, [
    ['  headers.delete(name)\n', '', 'the application selects a subprotocol behind the back of the guard'],
    ['delete node.headers[name]', 'node.headers', 'the ws of crossws 0.3 echoes a credential'],
    ['else node.headers[name] = protocol', '', 'the same beside a subprotocol'],
  ]),
  ...of('adapters/crossws/guarded-web-socket.ts', crossws, [
    [".on('error', ignore)", '', 'a peer that resets its connection ends the process'],
    [".once('close', () => passage.giveUp())", '', 'a peer that has left keeps its place until the verdict'],
    ['verdict = await guard.decide(handshake, admit)', 'verdict = await guard.decide(handshake)', 'admit is not asked'],
  ]),
  ...of('adapters/nest/guarded-ws-adapter.ts', nest, [
    ['{ maxPayload: defaultMessageBytes, ...settings', '{ ...settings', 'a message is as long as Nest allows'],
    ['      giveBack()\n', '', 'clients come into an application that closes'],
    ['      endAll()\n', '', 'an application that closes waits for its clients'],
    ['    await Promise.all(closed)\n', '', 'an application that closes cuts its clients off'],
    [
      '.filter((client) => acceptedBy(this.#guard, client))',
      '',
      'an application that closes waits for whom it has not accepted',
    ],
    ['const route = { ...this.#options, ', 'const route = { ', 'admit is not asked'],
  ]),
  ...of(
    'adapters/nest/guarded-io-adapter.ts',
    ['nest/socket-io.test.ts'],
    [
      ['    guardSocketIo(io, this.#guard, this.#options)\n', '', 'nobody guards the gateways'],
      ['this.#guard, this.#options)', 'this.#guard)', 'admit is not asked'],
    ],
  ),
]
