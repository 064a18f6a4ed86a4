import { describe, expect, it } from 'vitest'
import { rawOpen } from '../support/raw.js'
import { portOf } from '../support/runtime.js'

describe('guarded routes of Bun, and Hono beside them', () => {
  const port = portOf('bun', 'bun-neighbours')

  it.each(['/one', '/two'])('are each its own: %s', async (path) => {
    const { client } = await rawOpen(port(), path, { Authorization: 'Bearer good-ada' })
    expect(await client.textsUntil(1)).toEqual([`${path} of ours`])
    expect((await rawOpen(port(), path)).head.status).toBe(401)
    client.destroy()
  })

  it('leave the sockets of others to them', async () => {
    const { client } = await rawOpen(port(), '/open')
    expect(await client.textsUntil(1)).toEqual(['open to everybody'])
    client.destroy()
  })
})
