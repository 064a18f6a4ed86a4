// The load: clients that write bytes made beforehand, and look for the few that tell the answer. It must cost less than
// any server, so there is no WebSocket library here, no parser, and one buffer for all that comes.
import { connect } from 'node:net'
import { isPinned } from './machine.mjs'

const shared = Buffer.allocUnsafe(65_536)
const ignore = () => {}
const ping = 0x89
// Masked, with nothing in it (RFC 6455 section 5.5.3).
const pong = '\x8a\x80\0\0\0\0'
let dialled = 0

// On Linux all of 127.0.0.0/8 is this machine: as many clients as there are in the field, each with an address of its own.
const addressOf = (i) => (process.platform === 'linux' ? `127.1.${(i >> 8) % 250}.${i % 250}` : undefined)

/** A client: a TCP connection. Say what becomes of the bytes and of the end in `onBytes` and `onEnd`. */
export class Client {
  onBytes = ignore
  onEnd = ignore

  constructor(port) {
    dialled += 1
    const onread = { buffer: shared, callback: (length) => this.onBytes(length) !== false }
    this.socket = connect({ port, host: '127.0.0.1', localAddress: addressOf(dialled), noDelay: true, onread })
    this.socket.on('error', ignore)
    this.socket.on('close', () => this.onEnd())
  }

  write(bytes) {
    this.socket.write(bytes, 'latin1')
  }

  /** Stays, and answers pings: who does not is ended within a minute. */
  stay() {
    this.onBytes = () => {
      if (shared[0] === ping) this.write(pong)
    }
  }

  /** Says what a conversation has to say, `[send, expect]` by turns. Answers what went wrong, if anything, and the last turn. */
  converse(conversation, done) {
    let turn = 0
    let heard = ''
    let answer = ''
    this.onEnd = () => finish(`the connection ended after ${JSON.stringify(heard)}`)
    this.onBytes = (length) => {
      heard += shared.latin1Slice(0, length)
      for (;;) {
        const expected = conversation[turn][1]
        const at = heard.indexOf(expected)
        if (at === -1) return
        answer = heard
        heard = heard.slice(at + expected.length)
        turn += 1
        if (turn === conversation.length) {
          finish()
          return
        }
        this.write(conversation[turn][0])
      }
    }
    this.write(conversation[0][0])

    const finish = (problem) => {
      this.onBytes = ignore
      this.onEnd = ignore
      done(problem && `expected ${JSON.stringify(conversation[turn][1])}, but ${problem}`, answer)
    }
  }
}

/**
 * Holds conversations, `inFlight` at a time, each on a connection of its own, which is closed at the end unless `keep`. One
 * of the form `{ ask, goOn }` asks something beforehand, on another connection; `goOn(answer)` is what it goes on with.
 * Answers seconds, how much of them this process was busy unless `awake`, milliseconds of each conversation, and the clients
 * kept.
 *
 * @throws Error when the answer to one was not what it expects
 */
export function drive({ port, conversations, inFlight = 64, keep = false, awake = true }) {
  const latencies = new Float64Array(conversations.length)
  const clients = []
  let begun = 0
  let ended = 0
  return withinDeadline(awake, (resolve, reject) => {
    const meter = startMeter()

    function next() {
      if (begun === conversations.length) return
      const i = begun
      begun += 1
      const start = performance.now()
      hold(conversations[i], (client) => {
        latencies[i] = performance.now() - start
        if (keep) {
          client.stay()
          clients.push(client)
        } else client.socket.destroy()
        ended += 1
        if (ended === conversations.length) resolve({ ...meter(), latencies, clients })
        else next()
      })
    }

    function hold(conversation, done) {
      const client = new Client(port)
      client.converse(conversation.ask ?? conversation, (problem, answer) => {
        if (problem) reject(new Error(problem))
        if (!conversation.ask || problem) return done(client)
        client.socket.destroy()
        hold(conversation.goOn(answer), done)
      })
    }

    for (let i = 0; i < Math.min(inFlight, conversations.length); i += 1) next()
  })
}

/** Lets each client send `message` and wait for `replyLength` bytes, `times` over, all at once. Answers as {@link drive}. */
export function pingPong({ clients, message, replyLength, times }) {
  const latencies = new Float64Array(clients.length * times)
  let left = latencies.length
  return withinDeadline(true, (resolve, reject) => {
    const meter = startMeter()
    for (const client of clients) {
      let round = 0
      let missing = replyLength
      let start = performance.now()
      client.onEnd = () => reject(new Error('a connection ended in the middle of the echo'))
      client.onBytes = (length) => {
        missing -= length
        if (missing > 0) return
        const now = performance.now()
        left -= 1
        latencies[left] = now - start
        if (left === 0) resolve({ ...meter(), latencies })
        round += 1
        if (round === times) return
        start = now
        missing = replyLength
        client.write(message)
      }
      client.write(message)
    }
  })
}

/**
 * A promise that rejects when a minute is not enough: an answer that never comes is an error as well.
 *
 * Until then this process stays `awake` and asks again and again for what has come. Did it sleep, the server would pay for
 * waking it at each answer, in a virtual machine dearly, and the more often the slower the server is.
 */
function withinDeadline(awake, executor) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer within a minute')), 60_000)
    let isOver = false
    const settle = (how) => (value) => {
      isOver = true
      clearTimeout(timer)
      how(value)
    }
    const stayAwake = () => {
      if (!isOver) setImmediate(stayAwake)
    }
    // On a core that both share it would only be in the way.
    if (awake && isPinned) stayAwake()
    executor(settle(resolve), settle(reject))
  })
}

/** Starts to measure; the returned function answers seconds, and the share of them that this process was on its core. */
function startMeter() {
  const start = performance.now()
  const before = process.cpuUsage()
  return () => {
    const seconds = (performance.now() - start) / 1000
    const { user, system } = process.cpuUsage(before)
    return { seconds, share: (user + system) / 1e6 / seconds }
  }
}

/** Closes clients. */
export function hangUp(clients) {
  for (const client of clients) {
    client.onEnd = ignore
    client.socket.destroy()
  }
}
