import { GuardedSocket, ticket } from '@sallyport/client'

// Your page has a login of its own; this one is everybody's.
await fetch('/login', {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ user: 'ada' }),
})

// The session cookie buys the ticket.
const socket = new GuardedSocket('/ws', { credential: ticket('/ws/ticket') })
socket.addEventListener('message', ({ data }) => {
  document.querySelector('#said')!.textContent = String(data)
})
