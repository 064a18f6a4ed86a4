import { GuardedSocket, type SocketState, ticket } from '@sallyport/client'
import { type UsedSocket, useGuardedSocket } from '@sallyport/client/react'

declare function expectTrue<T extends true>(): void
type Equals<A, B> = [A, B] extends [B, A] ? true : false

export function useEcho(user: string) {
  const used = useGuardedSocket(() => new GuardedSocket('/ws', { credential: ticket('/ws/ticket') }), [user])
  expectTrue<Equals<typeof used, UsedSocket>>()
  expectTrue<Equals<typeof used.status, SocketState['status']>>()
  expectTrue<Equals<typeof used.socket, GuardedSocket | undefined>>()
  used.send(new Uint8Array(1))
  // @ts-expect-error what a WebSocket does not send
  used.send({ user })
  // @ts-expect-error it makes a socket, and is none
  useGuardedSocket(new GuardedSocket('/ws', { credential: ticket('/ws/ticket') }))
  return used
}
