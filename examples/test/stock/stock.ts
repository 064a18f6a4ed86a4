import { afterAll, beforeAll } from 'vitest'
import { type Example, startExample } from '../example.js'
import { call, type Login, ticketFor } from '../visitor.js'

/** The example of a test file, started before its tests. */
export function running(name: string, more: Record<string, string> = {}): () => Example {
  let example: Example
  beforeAll(async () => {
    example = await startExample(name, more)
  }, 60_000)
  afterAll(() => example.stop())
  return () => example
}

/** A URL with a fresh ticket, as a client asks for one at each attempt. */
export const withTicket = async (example: Example, login: Login): Promise<string> =>
  `${routeOf(example)}?ticket=${await ticketFor(example, login)}`

export const routeOf = ({ port }: Example): string => `ws://127.0.0.1:${port}/ws`

export const logOut = (example: Example, { cookie }: Login) => call(example, '/logout', { Cookie: cookie })
