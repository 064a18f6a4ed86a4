import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { createElement, type ReactNode } from 'react'
import { renderToString } from 'react-dom/server'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'

vi.setConfig({ testTimeout: 60_000 })
afterEach(() => vi.unstubAllGlobals())

/** Loads a module as the Vite of an example does for a server. */
type Load = <Module>(id: string) => Promise<Module>

/** The component of each example that holds a socket, as a server renders it; `require` finds what the example brings. */
const render: Readonly<Record<string, (load: Load, require: NodeJS.Require) => Promise<string>>> = {
  async react(load) {
    const { Chat } = await load<{ Chat: () => ReactNode }>('/Chat.tsx')
    return renderToString(createElement(Chat))
  },
  async vue(load, require) {
    const { default: Chat } = await load<{ default: unknown }>('/Chat.vue')
    return require('vue/server-renderer').renderToString(require('vue').createSSRApp(Chat))
  },
  async svelte(load) {
    const { default: Chat } = await load<{ default: unknown }>('/Chat.svelte')
    const { render } = await load<{ render(component: unknown): { body: string } }>('svelte/server')
    return render(Chat).body
  },
}

describe('a server that renders the page of an example', () => {
  it.each(Object.keys(render))('%s: shows that it is connecting, and opens nothing', async (name) => {
    const opened = vi.fn()
    vi.stubGlobal('fetch', opened)
    vi.stubGlobal('WebSocket', opened)
    const root = fileURLToPath(new URL(`../${name}`, import.meta.url))
    const require = createRequire(`${root}/server.ts`)
    const { createServer } = await import(require.resolve('vite'))
    const vite = await createServer({
      root,
      cacheDir: 'node_modules/.vite-server',
      logLevel: 'error',
      optimizeDeps: { noDiscovery: true },
      server: { middlewareMode: true, ws: false, watch: null },
    })
    onTestFinished(() => vite.close())
    const html = await render[name]!((id) => vite.ssrLoadModule(id), require)
    expect(html).toMatch(/<output[^>]*>\s*connecting/)
    expect(html).not.toContain('Connect again')
    expect(opened).not.toHaveBeenCalled()
  })
})
