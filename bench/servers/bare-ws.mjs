// The control: ws alone, which lets everybody in.
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { echo } from './echo.mjs'

export default function start() {
  const server = createServer()
  new WebSocketServer({ server, path: '/ws' }).on('connection', echo)
  return { server }
}
