import type { Connection } from '@sallyport/server'
import { buildSchema } from 'graphql'

export const schema = buildSchema(`
  type Me { userId: ID!, method: String! }
  type Query { me: Me! }
  type Mutation { echo(data: String!): String! }
  type Subscription { me: Me! }
`)

const me = (_: unknown, { identity, method }: Connection) => ({ userId: identity.id, method })

/** What answers. Each gets the context, which here is the connection. */
export const roots = {
  query: { me },
  mutation: { echo: ({ data }: { data: string }) => data },
  subscription: {
    async *me(_: unknown, connection: Connection) {
      yield { me: me(_, connection) }
    },
  },
}
