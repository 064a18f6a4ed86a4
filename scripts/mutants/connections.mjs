// Sockets and connections: what they may use, who ends them, and what still crosses.
const life = 'unit/connection-life.test.ts'
const live = [life, 'unit/connections.test.ts', 'unit/ws.test.ts']
const revocations = ['unit/revocations.test.ts', 'unit/connections.test.ts']
const firstMessages = [life, 'unit/first-message.test.ts', 'threats/e-first-message.test.ts']
const innerDoor = ['unit/inner-door.test.ts']
const sockets = 'unit/sockets.test.ts'
const ws = [sockets, 'unit/ws.test.ts', 'unit/inner-door.test.ts', 'contract/adapter.ws.test.ts']
const slowReaders = ['threats/g-pending.test.ts', 'unit/ws.test.ts']
const routes = ['unit/routes.test.ts', 'unit/bounds.test.ts']

const of = (file, tests, list) =>
  list.map(([find, replace, why, survives]) => ({ file, find, replace, tests, why, ...(survives && { survives }) }))

export default [
  ...of('connections/connections.ts', live, [
    [
      "'issuedBefore' in target && Number.isNaN(target.issuedBefore)",
      'false',
      'a revocation before NaN revokes nothing',
    ],
    [
      'candidates.filter((connection) => revokes(revocation, connection.accept))',
      'candidates',
      'a revocation ends the connections of other issuers',
    ],
    [
      "if (this.#revocations.match(accept)) this.end(connection, 'revoked')\n    else if (this.#isDraining)",
      'if (this.#isDraining)',
      'a connection that a revocation has overtaken',
    ],
    ["else if (this.#isDraining) this.end(connection, 'restart')", '', 'a draining node opens connections'],
    [
      'else if (this.isOpen(connection)) this.#makeRoom(connection)',
      'else this.#makeRoom(connection)',
      'a connection whose credential has ended',
    ],
    ['if (!this.#isLive(connection)) return undefined', '', 'the application sees a connection that is over'],
    ['        if (!connection) return\n', '', 'the application sees a connection that is over'],
    [
      'if (this.#options.clock.now() < connection.deadline) return true',
      'return true',
      'a message crosses after the end',
    ],
    ['this.isOpen(connection) && !connection.renewing', 'this.isOpen(connection)', 'any number of renewals at once'],
    [
      'if (this.isOpen(connection) && !connection.renewing)',
      'if (!connection.renewing)',
      'a connection that is over renews itself',
    ],
    [
      '    if (!this.isOpen(connection)) return\n    if (verdict.type',
      '    if (verdict.type',
      'a renewal revives what ended meanwhile',
    ],
    [
      "if (!this.renew(connection, verdict)) this.end(connection, 'forbidden')\n      else if",
      'this.renew(connection, verdict)\n      if',
      'another identity on the same connection lives on',
    ],
    ['named.filter((live) => this.isOpen(live))', 'named', 'a renewal revives what has ended'],
    ['if (!sameIdentity(accept.identity, identity)) return false', '', 'a connection becomes that of another identity'],
    ['if ((accept.issuedAt ?? 0) < issuedAt) return true', '', 'an older credential replaces a newer one'],
    [
      "if (this.#revocations.match(accept)) this.end(connection, 'revoked')\n    else this.#options",
      'this.#options',
      'a connection renews itself with what was revoked',
    ],
    ['if (surplus <= 0) return', 'if (surplus > -1_000) return', 'any number of connections'],
    [
      "connectionLimit.whenFull === 'refuse' ? [newest] : oldestFirst",
      'oldestFirst',
      'a new connection throws out an old one',
    ],
    [
      'Math.min(expiresAt + life.leeway, since + life.maxAge)',
      'expiresAt + life.leeway',
      'a connection lives for ever by renewals',
    ],
    [
      'Math.min(expiresAt + life.leeway, since + life.maxAge)',
      'since + life.maxAge',
      'a connection outlives its credential',
    ],
    ['connection.deadline = Number.NEGATIVE_INFINITY', '', 'what waited crosses after the end'],
  ]),
  ...of('connections/revocations.ts', revocations, [
    ['target.session === holder.session', 'true', 'a revocation of one session means all'],
    [
      "if ('token' in target) return target.token === holder.token",
      "if ('token' in target) return false",
      'a revoked token passes',
    ],
    [
      '(target.issuer === undefined || target.issuer === issuer) &&',
      '',
      'a revocation means the namesake of another issuer',
    ],
    [
      '(target.tenant === undefined || target.tenant === tenant) &&',
      '',
      'a revocation means the namesake of another tenant',
    ],
    [
      'if (this.#byKey.size === 0) return false',
      '',
      'the look-up is made for nothing',
      'Equivalent: nothing is found in an empty map. It saves making the keys.',
    ],
    [
      'if (revocations.some((revocation) => lastIssued(revocation) > horizon)) return',
      '',
      'a revocation is forgotten at once',
    ],
    ['Math.max(at, target.issuedBefore ?? at)', 'at', 'a revocation of a time to come is forgotten before it'],
  ]),
  ...of('connections/registry.ts', live, [
    [
      "if ('user' in target) return this.#byUser.get(target.user)",
      "if ('user' in target) return []",
      'connections of a revoked user live on',
    ],
    [
      "if ('issuedBefore' in target) return [...this.#byId.values()]",
      "if ('issuedBefore' in target) return []",
      'connections of what was issued before a time live on',
    ],
  ]),
  ...of(
    'connections/deadlines.ts',
    ['unit/deadlines.test.ts'],
    [['if (slot > now) continue', '', 'what is not due ends']],
  ),
  ...of(
    'connections/transport.ts',
    [...live, 'threats/e-first-message.test.ts'],
    [
      ['  transport.shut()\n', '', 'messages cross behind the Close'],
      ['dropsQueue.has(code) && transport.bufferedAmount > 0', 'false', 'who was revoked still gets what waits for it'],
    ],
  ),
  ...of('connections/first-message.ts', firstMessages, [
    ['if (!verdict || !pending) return', 'if (!verdict) return', 'a verdict that comes too late counts'],
    [
      'if (transport.isOpen) onAccept(verdict, kept)',
      'onAccept(verdict, kept)',
      'a socket that is closing becomes a connection',
    ],
    ["if (state === 'waiting') fail('message-late')", '', 'a socket waits for ever'],
    ["if (state !== 'waiting') return false", '', 'a socket whose credential is verified is thrown out'],
    ["if (state === 'waiting') fail('message-too-large')\n", '', 'a socket without a credential sends for ever'],
    ["if (state === 'verifying') transport.pause()", '', 'what follows the credential is kept without bound'],
    [
      "state === 'waiting' && text !== undefined && Buffer.byteLength(text) > wait.maxBytes",
      'false',
      'a first message of any size',
    ],
    [
      "state === 'waiting' && text !== undefined && readAuthFrame(text)",
      'text !== undefined && readAuthFrame(text)',
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
    [
      'if (waiting.push(message) >= maxWaiting) transport.pause()',
      'waiting.push(message)',
      'any number of messages wait',
    ],
  ]),
  ...of(
    'limits/pending.ts',
    ['unit/pending.test.ts'],
    [
      [
        '(this.#byAddress.get(key) ?? 0) >= pendingPerAddress && !this.#evictOldest(key)',
        'false',
        'one address takes all places',
      ],
      ['this.#size >= pendingSockets && !this.#evictOldest()', 'false', 'any number of undecided sockets'],
    ],
  ),
  ...of(
    'limits/attempts.ts',
    ['unit/attempts.test.ts'],
    [
      [
        "if (record.verifications >= this.#limits.verificationBudget) return 'exhausted'",
        '',
        'an address may guess for ever',
      ],
      [
        'if (record.failures.size < this.#limits.failedAttempts) record',
        'record',
        'guesses are remembered without bound',
        'Only memory: from the limit on, more of them change nothing.',
      ],
    ],
  ),
  ...of(
    'limits/address.ts',
    ['unit/address.test.ts'],
    [
      ['while (isTrusted(client) && hops', 'while (hops', 'anybody forges X-Forwarded-For'],
      ['.slice(0, 4)', '', 'a subscriber has 2^64 addresses'],
    ],
  ),
  ...of(
    'node/upgrades.ts',
    [sockets, 'unit/ws.test.ts', 'contract/adapter.ws.test.ts', 'threats/a-request.test.ts'],
    [
      ["    socket.on('error', ignore)\n", '', 'a reset ends the process'],
      ['  socket.resume()\n', '', 'a refusal is lost when the peer still sends'],
    ],
  ),
  ...of('node/gated-socket.ts', ws, [
    ["if (event !== 'message') return", 'if (true) return', 'messages go around the gate'],
    ["    webSocket.on('error', ignore)\n", '', 'a broken frame ends the process'],
    ['if (bytes > maxHeldBytes) this.pause()', '', 'messages are held without bound'],
    ['      isOpen()\n', '', 'the application sends to who is no longer authenticated'],
    ['    this.#receive = ignore\n', '', 'messages cross behind the Close'],
  ]),
  ...of('adapters/ws.ts', ws, [
    ["    socket.once('close', place.leave)\n", '', 'a place is never left'],
    [
      "if (verdict.protocol === undefined) delete request.headers['sec-websocket-protocol']\n  else",
      'if (verdict.protocol !== undefined)',
      'a credential is echoed as the subprotocol',
    ],
    [
      '    upgrade.webSocketServer.clients?.delete(gated.webSocket)\n',
      '',
      'a broadcast reaches a socket between the doors',
    ],
    ["  delete upgrade.request.headers['sec-websocket-extensions']\n", '', 'a stranger has messages inflated'],
    [
      'if (text !== undefined && connections.receive(connection, text)) return',
      '',
      'the application sees a credential',
    ],
    ['if (mayPass(message)) deliver(message)', 'deliver(message)', 'a message that may not pass'],
    [
      'isOpen: () => connections.isOpen(connection)',
      'isOpen: () => true',
      'the application sends to who is no longer authenticated',
    ],
  ]),
  ...of('adapters/ws.ts', slowReaders, [
    ["        connections.end(connection, 'limited')\n", '', 'a slow reader leaves without an event'],
    ['        gated.terminate()\n', '', 'a slow reader keeps what waits for it until it has ignored a Close'],
    ['= 16 * mebibyte }', '= Infinity }', 'what waits for a slow reader grows without bound, unless configured'],
    ['if (!(maxBufferedBytes >= 0))', 'if (false)', 'a limit that is no number limits nothing'],
  ]),
  ...of('node/gated-socket.ts', slowReaders, [
    [
      'webSocket.bufferedAmount > maxBufferedBytes',
      'webSocket.bufferedAmount > 0',
      'a reader of a moment ago is ended',
    ],
    ['      look()\n', '', 'what waits for a slow reader grows without bound'],
    ["    webSocket.on('ping', look)\n", '', 'pongs for a slow reader grow without bound'],
  ]),
  ...of('routes.ts', routes, [
    [
      "typeof body === 'string' ? readConnectionId(body) : body",
      "readConnectionId(typeof body === 'string' ? body : '')",
      'a body that is too large renews the session',
    ],
    ["if (request.method !== 'POST')", 'if (false)', 'a GET issues a ticket'],
    [
      'if (bytes <= maxBodyBytes) chunks.push(chunk)\n      else if',
      'chunks.push(chunk)\n      if',
      'a body is kept whole',
      'Only memory: what is over 16 KiB is dropped at the end all the same, and 64 KiB is the most that is read.',
    ],
    ['else if (bytes > maxDroppedBytes) break', '', 'a body without end is read'],
    ['return bytes <= maxBodyBytes ?', 'return true ?', 'a body of any length'],
    [
      "if (typeof id === 'string' && id !== '') return id",
      'return id as string',
      'a renewal that names no connection means the session',
    ],
    ['|| !guard.originPolicy?.(origin)', '', 'a foreign page may read the answers'],
  ]),
]
