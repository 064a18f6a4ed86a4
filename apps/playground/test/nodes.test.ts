import { describe, expect, it, onTestFinished } from 'vitest'
import { redisOfTest } from '../../../packages/server/test/support/redis.js'
import { post, secret, send, signIn, start } from './support/playground.js'
import { enter, knock } from './support/socket.js'

/** Playgrounds that share a Redis. */
async function nodesOf(port: number, count: number) {
  const redis = new URL(`redis://127.0.0.1:${port}`)
  const nodes = await Promise.all(Array.from({ length: count }, () => start({ redis, secret })))
  onTestFinished(async () => {
    await Promise.all(nodes.map((node) => node.close()))
  })
  return nodes
}

describe('playgrounds that share a Redis', () => {
  it('F02 log out on one, and the sockets of that session close on all', async () => {
    const redis = await redisOfTest()
    const nodes = await nodesOf(redis.port, 3)
    const [first, second, third] = nodes
    const ada = await signIn(first!)
    const eve = await signIn(first!, 'eve')
    // One session by cookie, by token, and by a ticket that another node has issued.
    const byCookie = await enter(`${second!.url}/ws`, { origin: second!.url, headers: { cookie: ada.cookie } })
    const byToken = await enter(`${third!.url}/ws`, { headers: { authorization: `Bearer ${ada.token}` } })
    const issued = await post(`${first!.url}/ws/ticket`, {}, { authorization: `Bearer ${ada.token}` })
    const byTicket = await enter(`${second!.url}/ws?ticket=${JSON.parse(issued.body).ticket}`)
    const stranger = await enter(`${third!.url}/ws`, { headers: { authorization: `Bearer ${eve.token}` } })

    expect((await send(`${third!.url}/logout`, { method: 'POST', headers: { cookie: ada.cookie } })).status).toBe(204)
    const revoked = { code: 4010, reason: 'Revoked' }
    expect(await Promise.all([byCookie.closed, byToken.closed, byTicket.closed])).toEqual([revoked, revoked, revoked])
    for (const { url } of nodes) {
      expect(await knock(`${url}/ws`, { headers: { authorization: `Bearer ${ada.token}` } })).toEqual({ status: 401 })
      expect(await knock(`${url}/ws`, { headers: { authorization: `Bearer ${eve.token}` } })).toMatchObject({
        status: 101,
      })
    }
    stranger.send('still here')
    expect(await stranger.next()).toEqual({ type: 'welcome', userId: 'eve', method: 'header' })
  })

  it('I01 say so when it is gone, and keep those who are in', async () => {
    const redis = await redisOfTest()
    const [node] = await nodesOf(redis.port, 1)
    const { token } = await signIn(node!)
    const headers = { authorization: `Bearer ${token}` }
    const inside = await enter(`${node!.url}/ws`, { headers })
    await redis.kill()
    const answers = await Promise.all([
      post(`${node!.url}/login`, { user: 'ada' }),
      post(`${node!.url}/ws/ticket`, {}, headers),
    ])
    for (const { status, headers } of answers) expect([status, headers['retry-after']]).toEqual([503, '5'])
    // The limit of connections is one of all nodes; meanwhile each counts its own.
    expect(await knock(`${node!.url}/ws`, { headers })).toMatchObject({ status: 101 })
    inside.send('still here')
    expect(await inside.next()).toEqual({ type: 'welcome', userId: 'ada', method: 'header' })
    expect(await inside.next()).toEqual({ type: 'echo', data: 'still here' })
    await redis.restart()
    await expect.poll(async () => (await post(`${node!.url}/login`, { user: 'ada' })).status).toBe(200)
    expect(JSON.parse((await send(`${node!.url}/health`)).body).status).toBe('ok')
  })

  it('I01 start without it, and take nobody in until it is there', async () => {
    const redis = await redisOfTest()
    await redis.kill()
    const [node] = await nodesOf(redis.port, 1)
    const health = await send(`${node!.url}/health`)
    expect([health.status, JSON.parse(health.body)]).toEqual([
      503,
      { status: 'unavailable', store: 'unavailable', draining: false },
    ])
    await redis.restart()
    await expect.poll(async () => (await send(`${node!.url}/health`)).status).toBe(200)
  })
})
