import { once } from 'node:events'
import { createServer } from 'node:net'

// Below those that the kernel gives to clients, of whom other tests have many: one of them may get the port meanwhile.
// A Redis of a cluster takes a second one, 10,000 above.
const first = 10_000
const last = 22_000

/** A port of this machine that nobody listens at, for a program that must be told one. */
export async function freePort(): Promise<number> {
  const port = first + Math.floor(Math.random() * (last - first))
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
  } catch {
    return freePort()
  }
  server.close()
  await once(server, 'close')
  return port
}
