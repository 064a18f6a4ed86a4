import { useState } from 'react'
import { signIn, signOut } from '../shared/page/account'
import { Chat } from './Chat'

export function App() {
  const [user, setUser] = useState<string>()

  async function enter(form: FormData) {
    setUser(await signIn(String(form.get('user')), Number(form.get('seconds'))))
  }

  async function leave() {
    await signOut()
    setUser(undefined)
  }

  if (user === undefined)
    return (
      <form className="fields" action={enter}>
        <label>
          Name
          <input name="user" defaultValue="ada" required />
        </label>
        <label>
          Seconds until the session ends
          <input name="seconds" type="number" min="1" defaultValue="3600" required />
        </label>
        <button type="submit" className="primary">
          Sign in
        </button>
      </form>
    )
  return (
    <>
      <p className="row">
        <span>
          Signed in as <b>{user}</b>
        </span>
        <button type="button" onClick={leave}>
          Sign out
        </button>
      </p>
      {/* another account is another component, and so another socket */}
      <Chat key={user} />
    </>
  )
}
