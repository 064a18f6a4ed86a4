import { defineNitroPlugin } from 'nitropack/runtime'

/** Answers upgrades to paths that have no handler, where Nitro would open a socket that nobody serves. */
export default defineNitroPlugin(({ h3App: { websocket } }) => {
  const { resolve } = websocket
  websocket.resolve = async (request) => {
    const hooks = await resolve?.(request)
    return hooks && 'upgrade' in hooks ? hooks : { upgrade: () => new Response('Not Found', { status: 404 }) }
  }
})
