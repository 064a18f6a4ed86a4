import { DurableObject } from 'cloudflare:workers'
import { storeObject } from '../../../src/stores/objects/store-object.js'
import type { ObjectNamespace } from '../../../src/support/cloudflare.js'

/** How much the tests have let pass. */
let passed = 0

/** The store's object, whose time the tests move on. */
export class TestStore extends storeObject(DurableObject, () => Date.now() + passed) {}

interface Call {
  readonly name: string
  readonly method: string
  readonly args: unknown[]
}

type Methods = Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>>

/** Calls objects for tests that run in Node.js. */
export default {
  async fetch(request: Request, { STORE }: { STORE: ObjectNamespace<Methods> }): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/advance') {
      passed += Number(searchParams.get('ms'))
      return new Response()
    }
    const { name, method, args } = (await request.json()) as Call
    const stub = STORE.get(STORE.idFromName(name))
    return Response.json({ answer: await stub[method]!(...args) })
  },
}
