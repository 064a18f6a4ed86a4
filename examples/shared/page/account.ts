/** Signs in at the accounts of the examples, which take any name. The browser keeps the session cookie. */
export async function signIn(user: string, expiresIn: number): Promise<string> {
  await post('/login', { user, expiresIn })
  return user
}

/** Ends the session, and every connection of it: in the other tabs too. */
export const signOut = (): Promise<void> => post('/logout')

async function post(path: string, body = {}): Promise<void> {
  const headers = { 'Content-Type': 'application/json' }
  const { ok, status } = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!ok) throw new Error(`${path} answered ${status}`)
}
