import { defineNitroConfig } from 'nitropack/config'

// In Nuxt the last line stands in nuxt.config.ts, under `nitro`, and nothing of the rest is needed.
export default defineNitroConfig({
  compatibilityDate: '2026-03-01',
  srcDir: 'server',
  logLevel: 1,
  imports: false, // each file says what it imports
  experimental: { websocket: true },
})
