// As much as the tests need of what Cloudflare's runtime has.

declare module 'cloudflare:workers' {
  export abstract class DurableObject<Env = unknown> {
    protected readonly ctx: import('../../../src/support/cloudflare.js').ObjectState
    protected readonly env: Env
    constructor(ctx: import('../../../src/support/cloudflare.js').ObjectState, env: Env)
  }
}
