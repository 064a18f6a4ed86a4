// The limit of the runtime: a TCP connection, and the 101 written by hand.
import { createServer } from 'node:net'
import { switching } from './switching.mjs'

const key = /^sec-websocket-key: *(\S+)/im

export default function start() {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (head) => socket.write(switching(key.exec(head.latin1Slice())?.[1] ?? '')))
  })
  return { server }
}
