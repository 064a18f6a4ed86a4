import { cookie, createGuard } from '@sallyport/server'
import { describe, expect, it, vi } from 'vitest'
import { testClock } from '../support/clock.js'
import { allMethods, guardOfHandshakes, origin, verifyGood } from '../support/guard.js'
import { RawClient, rawFrame, rawHandshake, rawOpen, rawRequest } from '../support/raw.js'
import { expectAccepted, expectRefusal } from '../support/refusal.js'
import { echo, startServer } from '../support/server.js'

const page = (cookies: string | string[]) => rawHandshake('/ws', { Origin: origin, Cookie: cookies })

/** A browser's answer to a refusal would be a Close; by status, all of the refusal can be read. */
async function start(name = 'session') {
  const findSession = vi.fn(verifyGood)
  const onConnection = vi.fn(echo)
  const accept = [cookie({ name, verify: findSession })] as const
  const { port } = await startServer(createGuard({ origins: [origin], accept, refuseBy: 'status' }), onConnection)
  return { port, findSession, onConnection }
}

describe('D: the cookie', () => {
  it('D09 sets no cookie of its own', async () => {
    const { port } = await startServer(guardOfHandshakes())
    const headers = { Connection: 'close', Upgrade: undefined, Origin: origin, Cookie: 'session=good-ada' }
    const issued = await rawRequest(port, rawHandshake('', headers, 'POST /ws/ticket HTTP/1.1'))
    expect(issued.status).toBe(201)
    expect(issued.headers.has('set-cookie')).toBe(false)
    const accepted = await expectAccepted(port, page('session=good-ada'))
    expect(accepted.headers.has('set-cookie')).toBe(false)
  })

  it.each<[string, string | string[]]>([
    ['in one line', 'session=good-ada; session=good-eve'],
    ['in one line, turned round', 'session=good-eve; session=good-ada'],
    ['in two lines', ['session=good-ada', 'session=good-eve']],
    ['in two lines, turned round', ['session=good-eve', 'session=good-ada']],
    ['of one value', 'session=good-ada; session=good-ada'],
    ['one of them empty', 'session=; session=good-ada'],
    ['one of them quoted', 'session="good-eve"; session=good-ada'],
    ['with others around', 'a=b; session=good-ada; c=d; session=good-eve; e=f'],
  ])('D10 refuses two cookies of the name, %s', async (_, cookies) => {
    const { port, findSession, onConnection } = await start()
    await expectRefusal(port, page(cookies), 400)
    expect(findSession).not.toHaveBeenCalled()
    expect(onConnection).not.toHaveBeenCalled()
    await expectAccepted(port, page('session=good-ada'))
  })

  it.each([
    ['another case', '__host-sid=good-eve'],
    ['upper case', '__HOST-SID=good-eve'],
    ['a space that is none of HTTP in front', '\u2000__Host-sid=good-eve'],
    ['a no-break space in front', '\u00a0__Host-sid=good-eve'],
    ['a cookie without a name', '=__Host-sid=good-eve'],
    ['a value that looks like one', 'a=__Host-sid=good-eve'],
    ['no sign of equality', '__Host-sid'],
    ['a space before the sign of equality', '__Host-sid =good-eve'],
    ['a version in front, in one pair', '$Version=1,__Host-sid=good-eve'],
    ['an attribute of old', '$Path="/"; $__Host-sid=good-eve'],
    ['quotes around the name', '"__Host-sid"=good-eve'],
    ['an escaped name', '__Host%2dsid=good-eve'],
    ['the other prefix', '__Secure-sid=good-eve'],
    ['no prefix', 'sid=good-eve'],
    ['a longer name', '__Host-sid2=good-eve'],
    ['an array', '__Host-sid[]=good-eve'],
  ])('D11 takes nothing else for __Host-sid: %s', async (_, planted) => {
    const { port, findSession } = await start('__Host-sid')
    const send = (cookies: string) => Buffer.from(page(cookies), 'utf8')
    await expectRefusal(port, send(planted), 401)
    expect(findSession).not.toHaveBeenCalled()
    // Beside the true one, neither a second one nor in its way.
    await expectAccepted(port, send(`${planted}; __Host-sid=good-ada`))
    await expectAccepted(port, send(`__Host-sid=good-ada; ${planted}`))
  })

  it.each([
    ['a thousand others', Array.from({ length: 1_000 }, (_, i) => `c${i}=1`).join('; ')],
    ['one of 8 KB', `large=${'a'.repeat(8_192)}`],
    ['one with an escape cut short', 'theme=%'],
    ['one with an escape of no digits', 'theme=%zz; %=%'],
    ['one named __proto__', '__proto__=polluted; constructor=polluted; toString=polluted; hasOwnProperty=polluted'],
    ['names of nothing', '=; ==; ;; =a; ,'],
    ['an open quote', 'theme="dark'],
    ['bytes beyond ASCII', 'theme=\u00e9\u00ff; \u00e9=\u00ff'],
    ['a thousand semicolons', ';'.repeat(1_000)],
  ])('D12 finds the session among %s', async (_, others) => {
    const { port, findSession } = await start()
    await expectAccepted(port, page(`${others}; session=good-ada`))
    expect(findSession.mock.calls.map(([credential]) => credential)).toEqual(['good-ada'])
    expect(({} as { polluted?: string }).polluted).toBeUndefined()
    await expectRefusal(port, page(others), 401)
  })

  it.each(['session=', 'session=""'])('D12 asks nobody about %s, which a logout has emptied', async (emptied) => {
    const { port, findSession } = await start()
    await expectRefusal(port, page(emptied), 401)
    expect(findSession).not.toHaveBeenCalled()
    await expectAccepted(port, page('session=good-ada'))
  })

  it.each(['%', '%zz', '%ff', '%00', '"', '"a', 'a'.repeat(8_192), '__proto__', '\u00e9\u00ff', 'a=b=c', 'a b', '{}'])(
    'D12 outlives the session %.20j',
    async (value) => {
      const { port, findSession, onConnection } = await start()
      await expectRefusal(port, page(`session=${value}`), 401)
      expect(findSession).toHaveBeenCalledTimes(1)
      expect(onConnection).not.toHaveBeenCalled()
      await expectAccepted(port, page('session=good-ada'))
    },
  )

  it.each(['\u0000', '\u0001', '\u007f', '\n'])(
    'D12 has no socket for a control in a cookie, which Node.js refuses: %j',
    async (control) => {
      const { port, findSession } = await start()
      expect((await rawRequest(port, page(`session=good${control}-ada`))).status).toBe(400)
      expect(findSession).not.toHaveBeenCalled()
      await expectAccepted(port, page('session=good-ada'))
    },
  )

  it('D13 fixes the identity when it authenticates, whatever becomes of the session', async () => {
    const users = new Map([['s1', 'guest']])
    const findSession = vi.fn((id: string) => verifyGood(`good-${users.get(id)}`, { now: Date.now() } as never))
    const guard = createGuard({ origins: [origin], accept: [cookie({ name: 'session', verify: findSession })] })
    const seen: string[] = []
    const { port } = await startServer(guard, (socket, connection) => {
      socket.on('message', () => socket.send(connection.identity.id))
      seen.push(connection.identity.id)
    })
    const { client } = await rawOpen(port, '/ws', { Origin: origin, Cookie: 'session=s1' })
    // The login turns the session that an attacker knew into one of ada.
    users.set('s1', 'ada')
    client.write(rawFrame('who am I?'))
    expect(await client.textsUntil(1)).toEqual(['guest'])
    const after = await rawOpen(port, '/ws', { Origin: origin, Cookie: 'session=s1' })
    after.client.write(rawFrame('who am I?'))
    expect(await after.client.textsUntil(1)).toEqual(['ada'])
    expect(seen).toEqual(['guest', 'ada'])
    client.destroy()
    after.client.destroy()
  })

  it('D13 closes the sockets of a session that a login has replaced, and no other', async () => {
    const guard = guardOfHandshakes()
    const { port } = await startServer(guard)
    const before = await rawOpen(port, '/ws', { Origin: origin, Cookie: 'session=good-guest' })
    const other = await rawOpen(port, '/ws', { Origin: origin, Cookie: 'session=good-ada' })
    await Promise.all([before.client.textsUntil(1), other.client.textsUntil(1)])
    expect(await guard.revoke({ session: 's-guest' })).toMatchObject({ closed: 1 })
    expect(await before.client.closeFrame()).toEqual({ code: 4010, reason: 'Revoked' })
    other.client.write(rawFrame('still here'))
    expect(await other.client.textsUntil(2)).toEqual(['hello ada', 'still here'])
    before.client.destroy()
    other.client.destroy()
  })

  it('D13 never lets a socket that waits become authenticated by a login elsewhere', async () => {
    const clock = testClock()
    const onConnection = vi.fn(echo)
    const { port } = await startServer(createGuard({ ...allMethods(), clock }), onConnection)
    const waiting = await rawOpen(port, '/ws', { Origin: origin })
    expect(waiting.head.status).toBe(101)
    await expectAccepted(port, page('session=good-ada'))
    waiting.client.write(rawFrame('act'))
    await waiting.client.ping()
    expect(waiting.client.texts()).toEqual([])
    expect(onConnection).toHaveBeenCalledTimes(1)
    clock.advance(5_000)
    expect(await waiting.client.closeFrame()).toEqual({ code: 4001, reason: 'Authentication timeout' })
    waiting.client.destroy()
    const next = await RawClient.connect(port)
    next.write(rawHandshake('/ws', { Origin: origin }))
    next.write(rawFrame(JSON.stringify({ type: 'auth', token: 'good-ada' })))
    expect((await next.textsUntil(2))[1]).toBe('hello ada')
    next.destroy()
  })
})
