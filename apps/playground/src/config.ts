import { randomBytes } from 'node:crypto'

/** What the environment says. */
export interface Config {
  readonly host: string
  readonly port: number
  /** The HS256 key, at least as long as the hash (RFC 7518 section 3.2). */
  readonly secret: Uint8Array
  /** The Redis or Valkey that several nodes share; absent: this node is alone. */
  readonly redis?: URL
}

/** The environment says something that cannot work; the message says what to set instead. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const minSecretBytes = 32

/**
 * Reads `PORT` (default 8080; 0 takes any free one), `HOST` (default `127.0.0.1`) and `JWT_SECRET` (default: a random
 * one, so that tokens end with the process), and `REDIS_URL` (default: none), with which nodes that have the same secret
 * share tickets, limits, revocations and logins. An empty variable counts as unset.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const redis = readRedis(env)
  return {
    ...(redis && { redis }),
    host: env.HOST || '127.0.0.1',
    port: readPort(env.PORT || '8080'),
    secret: readSecret(env.JWT_SECRET),
  }
}

function readPort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new ConfigError(`PORT must be a number from 0 to 65535, for example PORT=8080; it is ${JSON.stringify(text)}.`)
}

function readRedis({ REDIS_URL, JWT_SECRET }: Readonly<Record<string, string | undefined>>): URL | undefined {
  if (!REDIS_URL) return undefined
  if (!JWT_SECRET)
    throw new ConfigError('With REDIS_URL, nodes share their tokens too: set the same JWT_SECRET for each.')
  const url = URL.canParse(REDIS_URL) ? new URL(REDIS_URL) : undefined
  if (url && /^rediss?:$/.test(url.protocol)) return url
  // It may hold a password, and is not named.
  throw new ConfigError(
    'REDIS_URL must be an address such as redis://127.0.0.1:6379 or rediss://user:password@host:6380.',
  )
}

function readSecret(text: string | undefined): Uint8Array {
  if (!text) return randomBytes(minSecretBytes)
  const secret = new TextEncoder().encode(text)
  if (secret.length >= minSecretBytes) return secret
  // The secret itself is not named: errors end up in logs.
  throw new ConfigError(
    `JWT_SECRET must have at least ${minSecretBytes} bytes; it has ${secret.length}. ` +
      'Make one with `openssl rand -base64 32`, or leave it unset for a random one.',
  )
}
