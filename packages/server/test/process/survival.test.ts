import { expect, it } from 'vitest'
import { startChild } from '../support/child.js'
import { nextTurn } from '../support/deferred.js'
import { RawClient, rawFrame, rawHandshake } from '../support/raw.js'

const authorized = { Authorization: 'Bearer good-ada' }

async function start(shell?: string) {
  const child = await startChild(new URL('./server.ts', import.meta.url), shell ? { shell } : {})
  const port = (await child.next()) as number
  const open = async () => {
    const client = await RawClient.connect(port)
    client.write(rawHandshake('/ws', authorized))
    return client
  }
  /** Whatever happened, a good client is served. */
  const control = async () => {
    const client = await open()
    client.write(rawFrame('control'))
    expect(await client.textsUntil(1)).toEqual(['echo control'])
    client.destroy()
  }
  return { child, port, open, control }
}

it('A04 a client that leaves in the middle of a body ends nothing but its request', async () => {
  const { port, control, child } = await start()
  const bodies = [
    'Content-Length: 100\r\n\r\n{"connection":',
    'Transfer-Encoding: chunked\r\n\r\n5\r\n{"con',
    `Content-Length: 200000\r\n\r\n${'x'.repeat(100_000)}`,
  ]
  for (const body of bodies) {
    for (const leave of ['reset', 'end'] as const) {
      const client = await RawClient.connect(port)
      client.write(`POST /ws/renew HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good-ada\r\n${body}`)
      // By the time that somebody else is served, the request has been read.
      await control()
      if (leave === 'reset') client.socket.resetAndDestroy()
      else client.socket.end()
      await control()
      client.destroy()
    }
  }
  expect(child.process.exitCode).toBeNull()
})

it('G14 a server that has run out of file descriptors serves again when it has some', async () => {
  const { open, control, child } = await start('ulimit -n 64')
  const clients: RawClient[] = []
  const served = (client: RawClient) => client.until((received) => received.includes('\r\n\r\n'))
  for (let i = 0; i < 100; i++) clients.push(await open())
  const answers = await Promise.all(clients.map(served))
  const accepted = clients.filter((_, i) => answers[i]!.toString('latin1').startsWith('HTTP/1.1 101'))
  // Some were served and some were not: otherwise nothing was tested.
  expect(accepted.length).toBeGreaterThan(5)
  expect(accepted.length).toBeLessThan(64)
  const [first] = accepted
  first?.write(rawFrame('still served'))
  expect(await first?.textsUntil(1)).toEqual(['echo still served'])
  for (const client of clients) client.destroy()
  while (((await child.ask('state')) as { connections: number }).connections > 0) await nextTurn()
  await control()
  expect(child.process.exitCode).toBeNull()
})
