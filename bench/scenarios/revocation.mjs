// Revocations on one node: their time is to grow with the connections that they end, not with those that they leave.
import * as say from '../conversations.mjs'
import { createSigner } from '../credentials.mjs'
import { drive, hangUp } from '../load.mjs'
import { withServers } from '../process.mjs'
import { toRow } from '../rows.mjs'

export const scenario = 'revocation'

export function measure({ credentials: { keys }, effort }) {
  const { rounds, few, many, users: crowd } = effort.revocation
  const sign = createSigner('HS256', keys)
  const server = ['sallyport', { way: 'header', keys }]
  let users = 0
  const newUsers = (count) =>
    Array.from({ length: count }, () => {
      users += 1
      return `user-${users}`
    })

  /** Opens a connection for each user. */
  const connect = async (server, users) => {
    const conversations = users.map((user) => say.bearer(sign(user)))
    return (await drive({ port: server.port, conversations, keep: true })).clients
  }

  /** Milliseconds for each of the users, whose connections must be ended, and no other. */
  const revoke = async (server, users) => {
    const { milliseconds, closed } = await server.call('revoke', { users })
    if (closed !== users.length) throw new Error(`${users.length} users with a connection each: ${closed} were closed`)
    return milliseconds / users.length
  }

  /** The same, one user after the other. */
  const revokeInTurn = async (server, users) => {
    let sum = 0
    for (const user of users) sum += await revoke(server, [user])
    return sum / users.length
  }

  return withServers([server, server], async (small, large) => {
    const samples = { few: [], many: [], crowd: [] }
    const inTurn = 20
    const people = { small: newUsers(few), large: newUsers(many) }
    const clients = [await connect(small, people.small), await connect(large, people.large)]
    for (let round = -1; round < rounds; round += 1) {
      const gone = people.large.splice(0, crowd)
      const sample = {
        few: await revokeInTurn(small, people.small.splice(0, inTurn)),
        many: await revokeInTurn(large, gone.splice(0, inTurn)),
        crowd: await revoke(large, gone),
      }
      const come = { small: newUsers(inTurn), large: newUsers(crowd) }
      people.small.push(...come.small)
      people.large.push(...come.large)
      clients.push(await connect(small, come.small), await connect(large, come.large))
      // The first round warms up.
      if (round >= 0) for (const [name, value] of Object.entries(sample)) samples[name].push(value)
    }
    for (const opened of clients) hangUp(opened)

    const count = (n) => n.toLocaleString('en')
    const unit = 'ms a user'
    const goal = { of: 'ratio', most: 2 }
    const one = { row: `one user among ${count(few)} connections`, samples: samples.few }
    const oneOfMany = { row: `one user among ${count(many)} connections`, samples: samples.many }
    return [
      toRow({ scenario, unit, ...one }),
      toRow({ scenario, unit, ...oneOfMany, control: one, goal }),
      toRow({
        scenario,
        unit,
        row: `${count(crowd - inTurn)} users at once among ${count(many)} connections`,
        samples: samples.crowd,
        control: oneOfMany,
        goal,
      }),
    ]
  })
}
