/** What `POST /login` answers. */
export interface Login {
  readonly token: string
  /** Seconds. */
  readonly expiresIn: number
}

/** What `POST /ws/ticket` answers. */
export interface Ticket {
  readonly ticket: string
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

/** Signs in; the answer also sets the session cookie. */
export async function login(user: string, expiresIn: number): Promise<Login> {
  const body = JSON.stringify({ user, expiresIn })
  return post<Login>('/login', { body, headers: { 'content-type': 'application/json' } })
}

/** Ends the session of the cookie. */
export async function logout(): Promise<void> {
  await request('/logout', {})
}

/** Trades a token for a one-time ticket. The cookie stays at home, so that the token alone decides. */
export async function takeTicket(token: string): Promise<Ticket> {
  return post<Ticket>('/ws/ticket', { headers: { authorization: `Bearer ${token}` }, credentials: 'omit' })
}

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
