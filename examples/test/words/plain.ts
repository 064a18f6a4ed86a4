import type { Words } from '../stacks.js'
import { hear, say } from '../visitor.js'

/** A frame of JSON that welcomes, and an echo of each text. */
export const plain: Words = {
  closes: { revoked: 4010, expired: 4019 },
  welcome: async (client) => {
    const { userId, method } = await hear(client, ({ type }) => type === 'welcome')
    return { userId, method }
  },
  async echo(client, text) {
    say(client, text)
    return (await hear(client, ({ type, data }) => type === 'echo' && data === text)).data
  },
}
