import type { RawClient } from '../../../packages/server/test/support/raw.js'
import type { Words } from '../stacks.js'
import { hear, say } from '../visitor.js'

let calls = 0

/** The answer of a procedure. */
async function call(client: RawClient, method: 'query' | 'mutation', path: string, input?: string) {
  const id = ++calls
  say(client, JSON.stringify({ id, method, params: { path, input } }))
  return (await hear(client, (message) => message.id === id && message.result?.type === 'data')).result.data
}

/** The envelopes of tRPC: https://trpc.io/docs/rpc */
export const trpc: Words = {
  closes: { revoked: 4010, expired: 4019 },
  firstMessageQuery: '?connectionParams=1',
  async authenticate(client, token) {
    say(client, JSON.stringify({ method: 'connectionParams', data: { token } }))
    // It is answered by the first call.
    await call(client, 'query', 'me')
  },
  welcome: (client) => call(client, 'query', 'me'),
  echo: (client, text) => call(client, 'mutation', 'echo', text),
}
