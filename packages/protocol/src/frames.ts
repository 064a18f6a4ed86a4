/** What every frame may carry. */
interface Frame {
  /**
   * 128 random bits in base64url, made by the client for this connection. Where its first message has one, every frame of
   * either side has the same from then on, so that no text of another user, which the application relays, passes for one.
   */
  readonly nonce?: string | undefined
}

/** Client → server: present a credential, as the first message or to renew. */
export interface AuthFrame extends Frame {
  readonly type: 'auth'
  readonly token: string
}

/** Server → client: accepted. */
export interface AuthOkFrame extends Frame {
  readonly type: 'auth_ok'
  readonly userId: string
  /** Names this connection, for `POST {path}/renew`. */
  readonly connection: string
  /** Seconds the credential still lives, by the server's clock; absent when it has no end. */
  readonly expiresIn?: number
}

/** Server → client: refused. A Close follows, unless it answers a renewal: then the credential of before stays. */
export interface AuthFailFrame extends Frame {
  readonly type: 'auth_fail'
}

/** Server → client: the credential ends in `expiresIn` seconds; send another `auth`. */
export interface AuthExpiringFrame extends Frame {
  readonly type: 'auth_expiring'
  /** Seconds. */
  readonly expiresIn: number
}

/** What the server sends. */
export type ServerFrame = AuthOkFrame | AuthFailFrame | AuthExpiringFrame

/** What a client sends. */
export type ClientFrame = AuthFrame

/** Writes a frame as the JSON text that goes on the wire. */
export function encodeFrame(frame: ClientFrame | ServerFrame): string {
  return JSON.stringify(frame)
}

/**
 * Reads a client's text message as an `auth` frame.
 *
 * - The frame: exactly `{"type":"auth","token":"…"}`, with or without a `nonce` (keys in any order, `auth` not escaped),
 *   token not empty.
 * - `'malformed'`: it says `"type":"auth"`, but is anything else than that frame: other keys, a key twice, no token.
 * - `undefined`: some other message; not ours.
 */
export function readAuthFrame(text: string): AuthFrame | 'malformed' | undefined {
  // Much cheaper than parsing, for the messages of the application.
  if (!text.includes('"auth"')) return undefined
  const value = parseObject(text)
  if (value?.type !== 'auth') return undefined
  const { token, nonce } = value
  if (typeof token !== 'string' || token === '') return 'malformed'
  if (nonce !== undefined && !isNonce(nonce)) return 'malformed'
  const members = nonce === undefined ? 2 : 3
  // JSON.parse lets the last of two equal keys win. Every key and every value is a string; one more is a duplicate.
  if (Object.keys(value).length !== members || countStrings(text) !== 2 * members) return 'malformed'
  return { type: 'auth', token, ...(nonce !== undefined && { nonce }) }
}

const isNonce = (value: unknown): value is string => typeof value === 'string' && /^[A-Za-z0-9_-]{22}$/.test(value)

/** How many string literals there are in a JSON text. */
function countStrings(json: string): number {
  let quotes = 0
  for (let i = 0; i < json.length; i += 1) {
    if (json[i] === '"') quotes += 1
    else if (json[i] === '\\') i += 1
  }
  return quotes / 2
}

/**
 * Reads a server's text message as a frame of this protocol; `undefined` for any other message. Unknown keys are
 * passed over, so that a newer server can say more.
 */
export function readServerFrame(text: string): ServerFrame | undefined {
  const value = parseObject(text)
  if (!value) return undefined
  const { type, userId, connection, expiresIn } = value
  const nonce = typeof value.nonce === 'string' && { nonce: value.nonce }
  if (type === 'auth_fail') return { type, ...nonce }
  if (type === 'auth_expiring') return isSeconds(expiresIn) ? { type, expiresIn, ...nonce } : undefined
  if (type !== 'auth_ok' || typeof userId !== 'string') return undefined
  return {
    type,
    userId,
    connection: typeof connection === 'string' ? connection : '',
    ...(isSeconds(expiresIn) && { expiresIn }),
    ...nonce,
  }
}

const isSeconds = (value: unknown): value is number => Number.isFinite(value) && (value as number) >= 0

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
