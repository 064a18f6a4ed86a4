import type { Connection } from '@sallyport/server'
import { initTRPC } from '@trpc/server'

const t = initTRPC.context<Connection>().create()

const text = (input: unknown): string => {
  if (typeof input !== 'string') throw new TypeError('a text is expected')
  return input
}

/** The procedures. Each gets the context, which here is the connection. */
export const router = t.router({
  me: t.procedure.query(({ ctx: { identity, method } }) => ({ userId: identity.id, method })),
  echo: t.procedure.input(text).mutation(({ input }) => input),
  /** Says who one is, and stays open. */
  stay: t.procedure.subscription(async function* ({ ctx: { identity }, signal }) {
    yield identity.id
    await new Promise((resolve) => signal?.addEventListener('abort', resolve))
  }),
})

/** For clients. */
export type Router = typeof router
