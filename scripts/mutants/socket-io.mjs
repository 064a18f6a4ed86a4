// Socket.IO: whose a session is, the gate, and what is bounded before the accept.
import { mutantsOf } from '../mutants-of.mjs'

const g = 'threats/g-socket-io.test.ts'
const f = 'threats/f-socket-io.test.ts'
const unit = 'unit/adapters/socket-io.test.ts'
const clients = 'unit/adapters/socket-io-client.test.ts'

const of = mutantsOf()

export default [
  ...of(
    'guard/recognition.ts',
    [g, clients],
    [
      [
        "if (mayHideHeaders(request)) return refuse('handshake-headers')",
        '',
        'headers that Node.js has dropped say whose a request is',
      ],
      ["if (origin === repeated) return refuse('handshake-repeated')", '', 'one of two origins is believed'],
      ["some(isOther)) return refuse('fetch-metadata')", 'some(isOther)) {}', "another page's image takes what waits"],
      ['if (fault) return fault', '', 'a foreign page goes on with the session of its visitor'],
      ["connections.isDraining ? refuse('draining') : mark", 'mark', 'a node that is going down opens sessions'],
      ['if (mark === known.mark) return mark', 'return mark', 'the id of a session is all that it takes'],
      [
        "if (connection === undefined) return refuse('identity-changed')",
        'if (connection === undefined) return mark',
        'somebody else asks in a session that is not in yet',
      ],
      ["if (verdict.type === 'refuse') return verdict", '', 'a bad credential is refused as that of somebody else'],
      [
        '&& connections.renewals.renew(live, verdict)',
        '',
        'a session goes on as that of whoever has a good credential',
      ],
      [
        'isNameless ? addressKey(settings.addressOf(request)) : shown',
        'shown',
        'the id of a session without a cookie is all that it takes',
      ],
    ],
  ),
  ...of(
    'adapters/socket-io/client.ts',
    [f, g, clients, unit],
    [
      ["if (received > maxBytes) this.#turnAway('credential-too-large')", '', 'a stranger sends any number of bytes'],
      [
        'asks(client, namespace) > maxAsked) this.#stop()',
        'asks(client, namespace)) {}',
        'a client waits for any number of decisions',
      ],
      ["if (!this.#transport.isAsking) this.#turnAway('message-late')", '', 'a session that never asks stays for ever'],
      ["if (this.#isLate) this.#turnAway('message-late')", '', 'a session whose time is over asks on'],
      ['if (this.#transport.isAsking) return false\n', '', 'who is being decided makes room for who only waits'],
      ['    this.#opening.place.leave()\n', '', 'a client keeps its place for ever'],
      [
        '    this.mayCross()\n  }\n\n  /**',
        '  }\n\n  /**',
        'what waited for a poll is given to one that comes too late',
      ],
      [
        'if (!this.#transport.isOpen) return void liveConnections(guard).abandon(verdict)',
        '',
        'a client that has left is accepted',
      ],
      [
        'this.#verify(this.#connection, asked, this.#options.admit)',
        'this.#verify(this.#connection, asked)',
        'the application is not asked about another namespace',
      ],
      ["      : guard.refuse(asked, 'identity-changed')", '      : undefined', 'one client is two users'],
      [
        "if (refusal?.reason === 'identity-changed') connections.end(connection, 'forbidden')",
        '',
        'a client that says it is somebody else goes on',
      ],
      [
        'if (!connection || connection.renewing) return undefined',
        'if (!connection) return undefined',
        'any number of renewals is verified at once',
      ],
      [
        'withAuth(handshakeOf(connection), auth)',
        'withAuth(this.#request, auth)',
        'a renewal by nothing succeeds with the header of before',
      ],
    ],
  ),
  ...of(
    'adapters/socket-io/engine-transport.ts',
    [f, g, unit, clients],
    [
      [
        'if (!this.#isSpeaking && !this.#guard.maySend()) return this.#engine',
        '',
        'what is sent after the end reaches the peer',
      ],
      ["    this.#gate('send')\n", '', 'what is sent by the connection below reaches a peer that is over'],
      ['if (isOver) sockets[0]?.disconnect(true)\n', '', 'who is revoked stays in its rooms'],
      [
        '      if (isOver) this.#say({ type: packetTypes.disconnect, nsp: nsp.name })\n',
        '',
        'who is revoked comes again',
      ],
      ['    transport.socket?.terminate()\n', '', 'a peer that answers no Close stays'],
      ["if (this.#engine.readyState !== 'closed') transport.emit('close')", '', 'a session that polls no more stays'],
      [
        'if (this.bufferedAmount > defaultBufferedBytes) this.#guard.onSlow()\n',
        '\n',
        'what waits for a slow reader grows without bound',
      ],
      ['this.#waiting + ', '', 'what waits for a poll is given to who has expired'],
    ],
  ),
  ...of(
    'adapters/socket-io/namespaces.ts',
    [f, g, clients],
    [
      ['else if (await client.enter(sender, name, auth)) {', 'else {', 'nobody is asked about a namespace'],
      ['pid === ownedBy(connection.identity, id)', 'true', 'one user gets what another has missed'],
      ['if (!client.mayCross()) return\n', '', 'what a peer sends after the end is heard'],
      ['socket.connected && client.mayCross()', 'true', 'what came before the end is heard after it'],
      [
        'namespace._fns.map((middleware) => watched(middleware, fail))',
        'namespace._fns',
        'a middleware of a namespace that rejects ends the process',
      ],
      [
        "      if (!socket.connected) client?.refuse(name, { code: 'internal' })\n",
        '',
        'a client at which a middleware has failed is told nothing',
      ],
      ['      if (!socket.connected) done(error)\n', '', 'what a middleware has failed at is kept for ever'],
      [
        'if (callAll(socket.listenersAny(), socket, event, fail)) socket.dispatch(event)',
        'callAll(socket.listenersAny(), socket, event, fail)\n    socket.dispatch(event)',
        'middleware goes on with a client that is over',
      ],
      [
        'socket.fns.map((middleware) => watched(middleware, fail))',
        'socket.fns',
        'a middleware of a socket that rejects ends the process',
      ],
      [
        '    callAll(socket.listenersAnyOutgoing(), socket, data, fail)\n',
        '    for (const listener of socket.listenersAnyOutgoing()) Reflect.apply(listener, socket, data)\n',
        'who listens to what is sent ends the process',
      ],
      [
        'registerAckCallback.call(socket, id, watched(waiting, fail))',
        'registerAckCallback.call(socket, id, waiting)',
        'who waits for an acknowledgement ends the process',
      ],
      [
        "      client?.refuse(name, { code: 'internal' })\n      client?.fail(error)\n    }\n    asking",
        '      throw error\n    }\n    asking',
        'an adapter that throws ends the process',
      ],
      ['  contain(socket, () => fail)\n', '', 'a throwing listener of the end ends the process'],
      ['if (asking === 0 && !isEntered) forget(io, namespace)', '', 'strangers make any number of namespaces'],
      ['asking === 0 && ', '', 'a stranger takes a namespace away that somebody waits for'],
      [
        "if (!identity) return next(new Error('Forbidden'))",
        'if (!identity) return next()',
        'a socket that came another way goes in',
        'There is no other way in this version of Socket.IO.',
      ],
      [
        'if (!client?.connection || !isKnownSocket(socket)) {',
        'if (!client?.connection) {',
        'a socket without a gate goes in',
      ],
      ['= withoutCredential(auth)', '= auth', 'the application gets to see credentials'],
    ],
  ),
  ...of(
    'adapters/socket-io/guard-socket-io.ts',
    [g, clients, f],
    [
      ['if (readTarget(handshake.target)?.path !== path) {', 'if (false) {', 'a session is opened at any path'],
      ["    delete request.headers['sec-websocket-protocol']\n", '', 'a credential is answered as the subprotocol'],
      ["if ('reason' in place) return refuse(request, response, place)", '', 'any number of sessions is undecided'],
      ["    response.once('close', leave)\n", '', 'a request that opens nothing keeps its place'],
      [
        'if (!opening) return connected.close(true)',
        'if (!opening) return',
        'a session that was not looked at stays',
        'There is none in this version of Socket.IO: even WebTransport is closed before.',
      ],
      [
        "Connection: 'close'",
        '',
        'a body that was not read is taken for a request',
        'Node.js reads the rest itself; the line spares it that.',
      ],
    ],
  ),
  ...of(
    'adapters/socket-io/contain.ts',
    [f],
    [
      ['      if (done instanceof Promise) done.catch(fail)\n', '', 'a listener that fails later ends the process'],
      ['      fail(error)\n      return false\n', '      throw error\n', 'a listener that throws ends the process'],
    ],
  ),
  ...of(
    'adapters/socket-io/words.ts',
    [clients],
    [
      [
        'new URLSearchParams({ ticket })',
        "'ticket=' + encodeURIComponent(ticket)",
        'half a character is a fault of ours',
      ],
    ],
  ),
  ...of(
    'adapters/socket-io/internals.ts',
    [clients],
    [
      ['if (!engine || !httpServer) {', 'if (false) {', 'a server that is attached later is not guarded'],
      [' && Array.isArray(namespace._fns)', '', 'a namespace that we do not know is not watched'],
      [' &&\n  Array.isArray(socket.fns)', '', 'a socket that we do not know is not watched'],
      ['if (!isKnown) {', 'if (false) {', 'a version that we do not know is not guarded'],
      ['if (options.allowEIO3) {', 'if (false) {', 'clients of version 2 come in beside'],
    ],
  ),
  ...of(
    'guard/create-guard.ts',
    [clients],
    [
      [
        '? ask(admit, verdict, handshake).then((known) => report(known, handshake))',
        '? report(verdict, handshake)',
        'the application is not asked about another namespace',
      ],
    ],
  ),
]
