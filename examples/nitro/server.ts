// In your application this is `node .output/server/index.mjs`.
import { address } from '../shared/config.js'

process.env.PORT = `${address.port}`
process.env.HOST = address.host
process.once('SIGINT', () => process.exit(0)).once('SIGTERM', () => process.exit(0))
await import(new URL('.output/server/index.mjs', import.meta.url).href)
