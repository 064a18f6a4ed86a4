import type { Kind } from '@sallyport/client'
import { outcomeOf } from '@sallyport/client/socket-io'
import { io } from 'socket.io-client'

declare function show(kind: Kind, code: number | undefined): void

const socket = io({ auth: (give) => give({ token: 'token' }) })

socket.on('connect_error', (error) => {
  const { kind, action, retryAfter = 5, code } = outcomeOf(error)
  show(kind, code)
  if (action !== 'stop') setTimeout(() => socket.connect(), retryAfter * 1_000)
  // @ts-expect-error there is no such action
  if (action === 'nothing') socket.close()
})
socket.on('sallyport:end', (end: unknown) => show(outcomeOf(end).kind, 4010))
