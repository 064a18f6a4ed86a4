import { messages } from '@sallyport/client'
import { describe, expect, it } from 'vitest'
import { settled, start } from './fakes.js'

/** Reads all messages of a socket, and says how it ended. */
function readAll(socket: Parameters<typeof messages>[0]) {
  const read: unknown[] = []
  const end = (async () => {
    for await (const { data } of messages(socket)) read.push(data)
  })()
  return { read, end }
}

describe('messages', () => {
  it('reads all messages in order, over several connections, until the application closes', async () => {
    const { socket, open, current, retry } = start()
    const { read, end } = readAll(socket)
    await open()
    current().receive('one')
    current().receive('two')
    current().break()
    await retry()
    await open()
    current().receive('three')
    await settled()
    socket.close()
    current().end(1005)
    await end
    expect(read).toEqual(['one', 'two', 'three'])
  })

  it('throws why, behind the last message, when the socket gives up', async () => {
    const { socket, open, current } = start()
    const { read, end } = readAll(socket)
    await open()
    current().receive('last')
    current().end(4010)
    await expect(end).rejects.toMatchObject({ name: 'SocketError', outcome: { kind: 'revoked' } })
    expect(read).toEqual(['last'])
  })

  it('ends at once where the socket is closed already', async () => {
    const { socket } = start()
    socket.close()
    await settled()
    await readAll(socket).end
  })

  it('hears no more once the loop was left', async () => {
    const { socket, open, current } = start()
    await open()
    const iterator = messages(socket)
    const first = iterator.next()
    current().receive('one')
    expect(await first).toMatchObject({ value: { data: 'one' } })
    await iterator.return()
    current().receive('two')
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })
})
