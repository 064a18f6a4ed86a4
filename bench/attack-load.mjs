// The attackers of attack.mjs: forged tokens, sockets that wait between the doors, heads that drip; from many addresses.
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'

const [port, seconds, rate, addresses] = process.argv.slice(2).map(Number)
const end = Date.now() + seconds * 1000
const sent = { forged: 0, pending: 0, slow: 0 }
const head = (extra = '') =>
  'GET /ws HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${extra}`
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

function forgedToken() {
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: 'bench',
    aud: 'bench',
    sub: 'mallory',
    iat: now,
    exp: now + 60,
    jti: randomBytes(8).toString('hex'),
  }
  return `${encode({ alg: 'HS256' })}.${encode(claims)}.${randomBytes(32).toString('base64url')}`
}

function attack(kind, localAddress, first, drip) {
  sent[kind] += 1
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  socket.on('error', () => {})
  socket.on('data', () => {})
  socket.write(first)
  const timer = drip && setInterval(() => socket.write(drip), 1_000)
  socket.on('close', () => clearInterval(timer))
}

// Evenly, the three kinds at once.
let started = 0
const begin = Date.now()
const pace = setInterval(() => {
  if (Date.now() > end) {
    clearInterval(pace)
    process.send?.(sent, () => process.exit(0))
    return
  }
  for (const due = ((Date.now() - begin) / 1000) * rate; started < due; started += 1) {
    const address = `127.0.${1 + Math.floor(Math.random() * 4)}.${1 + Math.floor(Math.random() * (addresses / 4))}`
    const kind = started % 10
    if (kind < 6) attack('forged', address, `${head(`Authorization: Bearer ${forgedToken()}\r\n`)}\r\n`)
    else if (kind < 9) attack('pending', address, `${head()}\r\n`)
    else attack('slow', address, head(), 'X-Drip: x\r\n')
  }
}, 2)
