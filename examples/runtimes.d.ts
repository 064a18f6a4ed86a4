// As much of Bun and Deno as the examples use: whole, their types would hold for every example.
declare const Bun: {
  serve(options: {
    readonly port: number
    readonly hostname: string
    readonly fetch: (
      request: Request,
      server: import('@sallyport/server/bun').BunServer,
    ) => Response | Promise<Response>
    readonly websocket: import('@sallyport/server/bun').BunWebSocketHandlers
  }): void
}

declare const Deno: {
  serve(
    options: { readonly port: number; readonly hostname: string; readonly onListen: () => void },
    handler: (request: Request, info: import('@sallyport/server/deno').DenoInfo) => Promise<Response>,
  ): void
}
