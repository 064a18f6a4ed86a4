// As much as the examples need of what Cloudflare's runtime has. Your application has all of it: `wrangler types`.

declare module 'cloudflare:workers' {
  export const env: { readonly SALLYPORT: object; readonly ROOM: Namespace }

  export interface Namespace {
    getByName(name: string): { fetch(request: Request): Promise<Response> }
  }

  export abstract class DurableObject<Env = unknown> {
    protected readonly ctx: object
    protected readonly env: Env
    constructor(ctx: object, env: Env)
  }
}
