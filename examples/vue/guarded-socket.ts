import { type GuardedSocket, type Sendable, type SocketState, stateOf } from '@sallyport/client'
import { onMounted, onUnmounted, shallowRef } from 'vue'

/** Holds a socket for as long as a component is mounted, which it never is on a server. */
export function useGuardedSocket(make: () => GuardedSocket) {
  const state = shallowRef<SocketState>({ status: 'connecting' })
  let socket!: GuardedSocket // until it is mounted, to send is an error

  onMounted(() => {
    socket = make()
    stateOf(socket).subscribe((now) => {
      state.value = now
    })
  })
  onUnmounted(() => socket.close())

  return { state, send: (data: Sendable) => socket.send(data), reset: () => socket.reset() }
}
