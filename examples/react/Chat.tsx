import { GuardedSocket, lifecycle, renewal, ticket } from '@sallyport/client'
import { useGuardedSocket } from '@sallyport/client/react'
import { useState } from 'react'

export function Chat() {
  const [heard, setHeard] = useState<string[]>([])

  const { status, outcome, send, reset } = useGuardedSocket(() => {
    const socket = new GuardedSocket('/ws', {
      credential: ticket('/ws/ticket'), // paid for with the session cookie
      renew: renewal('/ws/renew'),
      lifecycle: lifecycle(),
    })
    socket.addEventListener('message', ({ data }) => setHeard((lines) => [...lines, data]))
    return socket
  })

  return (
    <>
      <output data-status={status}>
        {status} {outcome && `(${outcome.kind})`}
      </output>
      <pre role="log">{heard.join('\n')}</pre>
      {status === 'closed' ? (
        <button type="button" className="primary" onClick={reset}>
          Connect again
        </button>
      ) : (
        <form className="row" action={(form) => send(String(form.get('line')))}>
          <input name="line" aria-label="Message" placeholder="Say something" required />
          <button type="submit" className="primary" disabled={status !== 'open'}>
            Send
          </button>
        </form>
      )}
    </>
  )
}
