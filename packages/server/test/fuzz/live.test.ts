import { once } from 'node:events'
import { connect } from 'node:net'
import { encodeBearer } from '@sallyport/protocol'
import { createGuard, firstMessage, type Guard, type Identity } from '@sallyport/server'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Client } from '../support/client.js'
import { testClock } from '../support/clock.js'
import { allMethods, origin, verifyGood } from '../support/guard.js'
import { rawFrame, rawHandshake } from '../support/raw.js'
import { echo, startServer, type TestServer } from '../support/server.js'
import { badAuthFrames, badCredentials, damaged, mostly, seed, share, timeFor } from './inputs.js'

/** Of each kind: a fifth of all go over live sockets. */
const inputs = share(1 / 10)
const atATime = 32
// So many are made at a time, that a long run holds no more of them than a short one.
const batch = 5_000
const timeout = timeFor(inputs)

const lines: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    'Host: a',
    'Host:',
    'Connection: close',
    'Connection: keep-alive, Upgrade',
    'Upgrade: h2c, websocket',
    'Sec-WebSocket-Version: 8',
    'Sec-WebSocket-Key: short',
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
    'Sec-WebSocket-Protocol: app.v1',
    'Sec-WebSocket-Protocol: ,',
    `Origin: ${origin}`,
    'Origin: null',
    'Origin: https://evil.example',
    'Sec-Fetch-Mode: navigate',
    'Sec-Fetch-Site: cross-site',
    'Transfer-Encoding: chunked',
    'Content-Length: 5',
    'Content-Length: 5, 5',
    'Expect: 100-continue',
    'X-Forwarded-For: 127.0.0.1',
    ' folded: line',
    'no colon',
    ': no name',
    '__proto__: x',
  ),
  fc
    .tuple(
      fc.constantFrom(
        (credential: string) => `Authorization: Bearer ${credential}`,
        (credential: string) => `Authorization: Basic ${credential}`,
        (credential: string) => `Cookie: session=${credential}`,
        (credential: string) => `Cookie: session="${credential}"; session=x`,
        (credential: string) => `Sec-WebSocket-Protocol: app.v1, ${encodeBearer(credential)}`,
        (credential: string) => `Sec-WebSocket-Protocol: ${encodeBearer(credential)}`,
      ),
      fc.constantFrom(...badCredentials),
    )
    .map(([line, credential]) => line(credential)),
  fc.tuple(fc.string(), fc.string()).map(([name, value]) => `${name}: ${value}`),
)

const targets = fc.oneof(
  mostly('/ws', '/', '*', '/ws/', '/WS', '/ws#x', '//ws', '/%77s', 'http://a/ws', '/ws%0d%0aX: y'),
  fc
    .tuple(fc.constantFrom('ticket', 'token', 'Token', 'ticket[]', '%74oken', ''), fc.constantFrom(...badCredentials))
    .map(([name, credential]) => `/ws?${name}=${credential}`),
)

/** Heads of requests that are nearly good handshakes, without a good credential. */
const handshakes: fc.Arbitrary<Buffer> = damaged(
  fc
    .record({
      method: mostly('GET', 'POST', 'OPTIONS', 'get', 'CONNECT', 'G ET'),
      target: targets,
      version: mostly('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/1.1 '),
      more: fc.array(lines, { maxLength: 3 }),
      last: mostly('\r\n\r\n', '\n\n', '\r\n', ''),
      behind: mostly('', 'GET /ws HTTP/1.1\r\n\r\n', rawFrame('behind').toString('latin1')),
    })
    .map(({ method, target, version, more, last, behind }) => {
      const head = rawHandshake(target, {}, `${method} ${target} ${version}`).trimEnd()
      return Buffer.from([head, ...more].join('\r\n') + last + behind, 'latin1')
    }),
)

const frames: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 8, arbitrary: badAuthFrames.map((text) => rawFrame(text)) },
  { weight: 1, arbitrary: badAuthFrames.map((text) => rawFrame(text, { opcode: 2 })) },
  {
    weight: 2,
    arbitrary: fc
      .record({ opcode: fc.nat(15), fin: fc.boolean(), payload: fc.uint8Array({ maxLength: 130 }) })
      .map(({ payload, ...options }) => rawFrame(Buffer.from(payload), options)),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.constantFrom(rawFrame('x'.repeat(9_000)), Buffer.alloc(20_000)) },
)

/** What clients send in place of a first message with a good credential. */
const firstMessages: fc.Arbitrary<Buffer> = damaged(fc.array(frames, { maxLength: 6 }).map((all) => Buffer.concat(all)))

/** Sends all of it in its pieces, each when the answer to the one before has begun, then FIN. All that came until the end. */
async function exchange(port: number, ...pieces: (string | Buffer)[]): Promise<Buffer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  const chunks: Buffer[] = []
  // The server may end it whenever it likes.
  socket.on('error', () => {})
  socket.on('data', (chunk) => chunks.push(chunk))
  const closed = once(socket, 'close').catch(() => {})
  const ended = once(socket, 'end').catch(() => {})
  const last = pieces.pop() ?? ''
  for (const piece of pieces) {
    socket.write(piece)
    await Promise.race([once(socket, 'data').catch(() => {}), ended, closed])
  }
  socket.end(last)
  await Promise.race([ended, closed])
  socket.destroy()
  return Buffer.concat(chunks)
}

/** Runs through all the inputs, many at a time, with a good client every hundred. */
async function attack(
  bytes: fc.Arbitrary<Buffer>,
  server: TestServer,
  check: (input: Buffer) => Promise<void>,
  good: () => Promise<Client>,
): Promise<void> {
  let all: Buffer[] = []
  let next = 0
  let served = 0
  const attacker = async () => {
    for (let i = next++; i < inputs; i = next++) {
      if (i % batch === 0) all = fc.sample(bytes, { seed: seed + i / batch, numRuns: batch })
      const input = all[i % batch]!
      try {
        await check(input)
        if (i % 100 !== 0) continue
        const client = await good()
        client.send(`still here ${i}`)
        while ((await client.text()) !== `still here ${i}`);
        client.socket.terminate()
        served++
      } catch (cause) {
        const repeat = `FUZZ_SEED=${seed}, input ${i}: ${JSON.stringify(input.toString('latin1'))}`
        throw new Error(repeat, { cause })
      }
    }
  }
  await Promise.all(Array.from({ length: atATime }, attacker))
  expect(served).toBe(Math.ceil(inputs / 100))
  await server.idle()
}

/** Every crash of the process while the test runs. */
function watchCrashes(): unknown[] {
  const crashes: unknown[] = []
  const record = (error: unknown) => crashes.push(error)
  for (const event of ['uncaughtExceptionMonitor', 'unhandledRejection'] as const) {
    process.on(event, record)
    onTestFinished(() => {
      process.off(event, record)
    })
  }
  return crashes
}

/** A server whose application writes down whom it gets to see. */
async function startFuzzed(guard: Guard<Identity>) {
  const seen: string[] = []
  const server = await startServer(guard, (socket, connection) => {
    seen.push(connection.identity.id)
    return echo(socket, connection)
  })
  return { server, seen }
}

describe(`a live server under ${2 * inputs} broken inputs`, () => {
  it('answers no handshake without a good credential by 101', { timeout }, async () => {
    const crashes = watchCrashes()
    const { accept, ...options } = allMethods()
    const guard = createGuard({ ...options, accept: accept.slice(0, -1), refuseBy: 'status', clock: testClock() })
    const verdicts: string[] = []
    const { server, seen } = await startFuzzed({
      ...guard,
      decide: async (handshake) => {
        const verdict = await guard.decide(handshake)
        verdicts.push(verdict.type === 'accept' ? `accept ${verdict.identity.id}` : verdict.type)
        return verdict
      },
    })
    await attack(
      handshakes,
      server,
      async (input) => {
        const answer = (await exchange(server.port, input)).toString('latin1')
        expect(answer).not.toContain('HTTP/1.1 101')
        expect(answer).not.toContain('HTTP/1.1 50')
      },
      () => Client.open(server.url, { headers: { Authorization: 'Bearer good-control' } }),
    )
    expect(new Set(verdicts)).toEqual(new Set(['refuse', 'accept control']))
    // Enough of them came as far as the guard: this has tested more than the parser of Node.js.
    expect(verdicts.filter((verdict) => verdict === 'refuse').length).toBeGreaterThan(inputs / 10)
    expect(seen).toHaveLength(Math.ceil(inputs / 100))
    expect(guard.connections.size).toBe(0)
    expect(crashes).toEqual([])
  })

  it('lets no frame through before a good first message', { timeout }, async () => {
    const crashes = watchCrashes()
    const clock = testClock()
    let verified = 0
    const guard = createGuard({
      limits: allMethods().limits,
      accept: [
        firstMessage<Identity>({
          verify: (credential, context) => {
            verified++
            return verifyGood(credential, context)
          },
        }),
      ],
      clock,
    })
    const { server, seen } = await startFuzzed(guard)
    await attack(
      firstMessages,
      server,
      async (input) => {
        const answer = await exchange(server.port, rawHandshake('/ws'), input)
        const texts = dataFrames(answer)
        expect(['', '{"type":"auth_fail"}']).toContain(texts.join())
      },
      async () => {
        const client = await Client.open(server.url)
        client.send(JSON.stringify({ type: 'auth', token: 'good-control' }))
        return client
      },
    )
    expect(new Set(seen)).toEqual(new Set(['control']))
    expect(seen).toHaveLength(Math.ceil(inputs / 100))
    expect(verified).toBeGreaterThan(inputs / 20)
    expect(guard.connections.size).toBe(0)
    expect(clock.pending).toBe(0)
    expect(crashes).toEqual([])
  })
})

/** The payloads of the data frames behind the head of an answer; none of them is longer than 125 bytes. */
function dataFrames(answer: Buffer): string[] {
  const texts: string[] = []
  let at = answer.indexOf('\r\n\r\n') + 4
  expect(answer.subarray(0, at).toString()).toMatch(/^HTTP\/1\.1 101 /)
  while (at + 2 <= answer.length) {
    const [first = 0, length = 0] = answer.subarray(at, at + 2)
    expect(length).toBeLessThan(126)
    if ((first & 0x0f) < 8) texts.push(answer.toString('utf8', at + 2, at + 2 + length))
    at += 2 + length
  }
  return texts
}
