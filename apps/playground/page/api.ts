/** What `POST /login` answers. */
export interface Login {
  readonly token: string
  /** Seconds. */
  readonly expiresIn: number
}

/** What `POST /session` answers: nobody, or who and with which token. */
export type Session = (Login & { readonly user: string }) | { readonly user: null }

/** What `POST /ws/ticket` answers. */
export interface Ticket {
  readonly ticket: string
  /** Seconds. */
  readonly expiresIn: number
}

/** What `POST /ws/renew` answers. */
export interface Renewed {
  /** Seconds. */
  readonly expiresIn: number
}

/** The playground answered with another status than asked for; the message is for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

/**
 * Signs in for a token of `expiresIn` seconds, an hour unless told otherwise. The answer also sets the session cookie,
 * which `credentials: 'omit'` leaves as it is.
 */
export async function login(
  user: string,
  expiresIn = 3600,
  credentials: RequestCredentials = 'same-origin',
): Promise<Login> {
  return post<Login>('/login', { ...json({ user, expiresIn }), credentials })
}

/** Asks whose session the cookie is of, and for a token of it. */
export async function session(): Promise<Session> {
  return post<Session>('/session', {})
}

/** Ends the session of the cookie. */
export async function logout(): Promise<void> {
  await request('/logout', {})
}

/** Ends all sessions of the cookie's user, and whatever was issued to them. */
export async function logoutEverywhere(): Promise<void> {
  await request('/logout-everywhere', {})
}

/** Closes a connection of the cookie's user. */
export async function revoke(connection: string): Promise<void> {
  await request('/revoke', json({ connection }))
}

/** Lets a connection live on with this token. The cookie stays at home, so that the token alone decides. */
export async function renew(connection: string, token: string): Promise<Renewed> {
  const { body, headers } = json({ connection })
  return post<Renewed>('/ws/renew', { body, headers: { ...headers, ...bearer(token) }, credentials: 'omit' })
}

/** Trades a token for a one-time ticket. The cookie stays at home, so that the token alone decides. */
export async function takeTicket(token: string): Promise<Ticket> {
  return post<Ticket>('/ws/ticket', { headers: bearer(token), credentials: 'omit' })
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

const json = (body: object) => ({ body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })

async function post<T>(path: string, init: RequestInit): Promise<T> {
  return (await request(path, init)).json() as Promise<T>
}

async function request(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, { method: 'POST', ...init }).catch(() => {
    throw new ApiError(0, 'The playground does not answer. Is it still running?')
  })
  if (response.ok) return response
  const text = await response.text()
  throw new ApiError(response.status, errorOf(text) ?? `The playground answered ${response.status} ${text}`)
}

function errorOf(text: string): string | undefined {
  try {
    // The guard answers a name and a sentence, the playground's own routes a sentence.
    const { error, message = error } = JSON.parse(text)
    return typeof message === 'string' ? message : undefined
  } catch {
    return undefined
  }
}
