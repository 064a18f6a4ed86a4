import { encodeBearer } from '@sallyport/protocol'
import type { Example } from './example.js'
import { type Knock, knock, type Login, signIn, ticketFor } from './visitor.js'

/** How somebody who is signed in comes in: six ways, each for the protocol of the application. */
export const ways: Readonly<Record<string, (example: Example, login: Login) => Promise<Knock>>> = {
  ticket: async (example, login) => knock(example, `?ticket=${await ticketFor(example, login)}`),
  query: async (example, { user }) => knock(example, `?token=${(await signIn(example, user, 60)).token}`),
  header: (example, { token }) => knock(example, '', { Authorization: `Bearer ${token}` }),
  cookie: (example, { cookie }) => knock(example, '', { Cookie: cookie, Origin: example.origin }),
  subprotocol: (example, { token }) =>
    knock(example, '', { 'Sec-WebSocket-Protocol': `${encodeBearer(token)}, ${protocolOf(example)}` }),
  message: async (example, { token }) => {
    const { firstMessageQuery, authenticate } = example.words
    const knocked = await knock(example, firstMessageQuery)
    await authenticate(knocked.client, token)
    return knocked
  },
}

/** A bearer in the subprotocol stands beside another one. */
export const protocolOf = ({ words }: Example): string => words.protocol ?? 'sallyport-playground'
