import { ConfigurationError, createGuard, header, query, ticket } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { verifyGood } from '../support/guard.js'
import { handshake } from '../support/handshake.js'
import { rawHandshake } from '../support/raw.js'
import { expectAccepted, expectRefusal } from '../support/refusal.js'
import { startServer } from '../support/server.js'

const guardOf = () =>
  createGuard({
    accept: [
      ticket({ parameter: 't' }),
      query({ verify: verifyGood, parameter: 'access_token' }),
      header({ verify: verifyGood }),
    ],
  })

describe('A: a parameter by a name of its own', () => {
  it('A31 brings the credential, and no other does', async () => {
    const guard = guardOf()
    const { port } = await startServer(guard)
    await expectAccepted(port, rawHandshake('/ws?access_token=good-ada'))
    await expectRefusal(port, rawHandshake('/ws?token=good-ada'), 401)
    const issued = await guard.issueTicket(handshake({ headers: [['authorization', 'Bearer good-ada']] }), '/ws')
    if (!('ticket' in issued)) throw new Error(issued.reason)
    await expectRefusal(port, rawHandshake(`/ws?ticket=${issued.ticket}`), 401)
    await expectAccepted(port, rawHandshake(`/ws?t=${issued.ticket}`))
  })

  it.each([
    'Access_Token=good-ada',
    'access%5Ftoken=good-ada',
    'access_token[]=good-ada',
    'access_token=a&access_token=b',
  ])('A31 is refused in another spelling: %s', async (spelling) => {
    const { port } = await startServer(guardOf())
    await expectRefusal(port, rawHandshake(`/ws?${spelling}`), 400)
    await expectAccepted(port, rawHandshake('/ws?access_token=good-ada'))
  })

  it('A31 is kept from the application, however it is spelled, and what is free by now is not', async () => {
    const guard = guardOf()
    const queries: string[] = []
    const { port } = await startServer(guard, (socket, connection) => {
      queries.push(`${connection.query}`)
      socket.send('hello ada')
    })
    const bearer = { Authorization: 'Bearer good-ada' }
    await expectAccepted(port, rawHandshake('/ws?room=1&access_token=good-ada&ticket=7&token=x'))
    await expectAccepted(port, rawHandshake('/ws?room=1&tokens=2', bearer))
    expect(queries).toEqual(['room=1&ticket=7&token=x', 'room=1&tokens=2'])
  })

  it.each(['', 'a b', 'a.b', 'a=b', 'caf\u00e9', 'a[]'])('A31 does not start under the name %j', (parameter) => {
    expect(() => ticket({ parameter })).toThrow(ConfigurationError)
    expect(() => query({ verify: verifyGood, parameter })).toThrow(ConfigurationError)
    expect(() => ticket({ parameter: 'a-b_1' })).not.toThrow()
  })

  it('A31 does not start where two methods read one parameter', () => {
    const accept = (one: string, other: string) =>
      createGuard({ accept: [ticket({ parameter: one }), query({ verify: verifyGood, parameter: other })] })
    expect(() => accept('auth', 'Auth')).toThrow(/ticket and query by \?auth=/)
    expect(() => accept('token', 'ticket')).not.toThrow()
    expect(() => createGuard({ accept: [ticket({ parameter: 'token' })] })).not.toThrow()
  })
})
