import type { RawClient } from '../../../packages/server/test/support/raw.js'
import type { Words } from '../stacks.js'
import { hear, say } from '../visitor.js'

let operations = 0

async function begin(client: RawClient, payload?: object): Promise<void> {
  say(client, JSON.stringify({ type: 'connection_init', payload }))
  await hear(client, ({ type }) => type === 'connection_ack')
}

/** The answer to a query or mutation. */
async function ask(client: RawClient, query: string) {
  const id = `${++operations}`
  say(client, JSON.stringify({ id, type: 'subscribe', payload: { query } }))
  const { payload } = await hear(client, (message) => message.type === 'next' && message.id === id)
  return payload.data
}

/** `graphql-transport-ws`: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md */
export const graphql: Words = {
  protocol: 'graphql-transport-ws',
  closes: { revoked: 4401, expired: 4403 },
  authenticate: (client, token) => begin(client, { token }),
  async welcome(client) {
    if (client.texts().length === 0) await begin(client)
    return (await ask(client, '{ me { userId method } }')).me
  },
  echo: async (client, text) => (await ask(client, `mutation { echo(data: ${JSON.stringify(text)}) }`)).echo,
}
