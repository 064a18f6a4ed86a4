import { randomBytes } from 'node:crypto'

/** What the environment says. */
export interface Config {
  readonly host: string
  readonly port: number
  /** The HS256 key, at least as long as the hash (RFC 7518 section 3.2). */
  readonly secret: Uint8Array
}

/** The environment says something that cannot work; the message says what to set instead. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const minSecretBytes = 32

/**
 * Reads `PORT` (default 8080; 0 takes any free one), `HOST` (default `127.0.0.1`) and `JWT_SECRET` (default: a random
 * one, so that tokens end with the process). An empty variable counts as unset.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  return {
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
