import type { RawClient } from '../../../packages/server/test/support/raw.js'
import type { Words } from '../stacks.js'
import { hear, say } from '../visitor.js'

/** The first message of Sallyport's own frames. */
export async function authenticateInFrames(client: RawClient, token: string): Promise<void> {
  say(client, JSON.stringify({ type: 'auth', token }))
  await hear(client, ({ type }) => type === 'auth_ok')
}

/** A frame of JSON that welcomes, and an echo of each text. */
export const plain: Words = {
  closes: { revoked: 4010, expired: 4019 },
  authenticate: authenticateInFrames,
  welcome: async (client) => {
    const { userId, method } = await hear(client, ({ type }) => type === 'welcome')
    return { userId, method }
  },
  async echo(client, text) {
    say(client, text)
    return (await hear(client, ({ type, data }) => type === 'echo' && data === text)).data
  },
}
