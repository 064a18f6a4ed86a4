import { type GuardedSocket, type Sendable, type SocketState, stateOf } from '@sallyport/client'
import { onMount } from 'svelte'
import { writable } from 'svelte/store'

/** Holds a socket for as long as a component is mounted, which it never is on a server. A store of its state. */
export function guardedSocket(make: () => GuardedSocket) {
  const { subscribe, set } = writable<SocketState>({ status: 'connecting' })
  let socket!: GuardedSocket // until it is mounted, to send is an error

  onMount(() => {
    socket = make()
    stateOf(socket).subscribe(set)
    return () => socket.close()
  })

  return { subscribe, send: (data: Sendable) => socket.send(data), reset: () => socket.reset() }
}
