// A control: bare ws, and a POST that is answered by hand, as a client needs that fetches something before it comes in.
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { echo } from './echo.mjs'

const answer = JSON.stringify({ ticket: 'x'.repeat(43), expiresIn: 30 })
const headers = { 'Content-Type': 'application/json', 'Content-Length': answer.length }

export default function start() {
  const server = createServer((_, response) => response.writeHead(201, headers).end(answer))
  new WebSocketServer({ server, path: '/ws' }).on('connection', echo)
  return { server }
}
