import type { Socket } from 'node:net'

// A ticket with its identity, or a page of the log, is far below it.
const longest = 64 * 1024 * 1024

/** Hands every line of JSON that comes on a socket to `onMessage`, and ends a socket on which comes anything else. */
export function readLines(socket: Socket, onMessage: (message: unknown) => void): void {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    try {
      if (rest.length > longest) throw new Error('a line without an end')
      for (const line of lines) onMessage(JSON.parse(line))
    } catch {
      socket.destroy()
    }
  })
}

/** Sends a message as one line: JSON has no line break of its own. */
export function writeLine(socket: Socket, message: unknown): void {
  socket.write(`${JSON.stringify(message)}\n`)
}
