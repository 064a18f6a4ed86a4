import { encodeBearer } from '@sallyport/protocol'
import type { Example } from './example.js'
import { hear, type Knock, knock, type Login, say, signIn, ticketFor } from './visitor.js'

/** How somebody who is signed in comes in: six ways, each for the protocol of the application. */
export const ways: Readonly<Record<string, (example: Example, login: Login) => Promise<Knock>>> = {
  ticket: async (example, login) => knock(example, `?ticket=${await ticketFor(example, login)}`),
  query: async (example, { user }) => knock(example, `?token=${(await signIn(example, user, 60)).token}`),
  header: (example, { token }) => knock(example, '', { Authorization: `Bearer ${token}` }),
  cookie: (example, { cookie }) => knock(example, '', { Cookie: cookie, Origin: example.origin }),
  subprotocol: (example, { token }) =>
    knock(example, '', { 'Sec-WebSocket-Protocol': `${encodeBearer(token)}, ${protocolOf(example)}` }),
  message: async (example, { token }) => {
    const knocked = await knock(example)
    say(knocked.client, JSON.stringify({ type: 'auth', token }))
    await hear(knocked.client, ({ type }) => type === 'auth_ok')
    return knocked
  },
}

/** A bearer in the subprotocol stands beside another one. */
export const protocolOf = ({ words }: Example): string => words.protocol ?? 'sallyport-playground'
