import { randomBytes } from 'node:crypto'

const {
  PORT = '8080',
  HOST = '127.0.0.1',
  HTTPS_PORT = '8443',
  JWT_SECRET = randomBytes(32).toString('base64url'),
} = process.env

/** Where an example listens. */
export const address = { port: Number(PORT), host: HOST }

/** Where the proxy of the example `https` listens. */
export const httpsPort = Number(HTTPS_PORT)

/** The key of the tokens: 32 bytes at least. */
export const secret = new TextEncoder().encode(JWT_SECRET)

/** The pages that may connect: the example's own. */
export const origins = [`http://${HOST}:${PORT}`, `http://localhost:${PORT}`, `https://localhost:${HTTPS_PORT}`]

/** Whose `X-Forwarded-For` is believed: a proxy's on this computer. */
export const trustedProxies = ['127.0.0.1']

/** Says where an example can be reached, and ends it when it is asked to. */
export function ready(name: string): void {
  process.once('SIGINT', () => process.exit(0)).once('SIGTERM', () => process.exit(0))
  console.log(`Sallyport example ${name}: http://${HOST}:${PORT}`)
}
