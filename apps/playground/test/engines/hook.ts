// A React application, as a dev server runs it: in strict mode, and with fast refresh. Bundled as `hook`.
import { GuardedSocket, ticket } from '@sallyport/client'
import { useGuardedSocket } from '@sallyport/client/react'
import { createElement, StrictMode } from 'react'
import type { Root } from 'react-dom/client'
import * as refresh from 'react-refresh/runtime'

// Before React DOM is there, which looks for it.
refresh.injectIntoGlobalHook(window)

let root: Root | undefined
/** How many sockets were made, and what they have heard. */
let made = 0
const heard: string[] = []
let write: (line: string) => void = () => {}
let again: () => void = () => {}

/** A component that says how it is with the socket of that user. */
function define(greeting: string) {
  function Status({ user }: { readonly user: string }) {
    const { status, outcome, send, reset } = useGuardedSocket(() => {
      made++
      const socket = new GuardedSocket('/ws', { credential: ticket('/ws/ticket') })
      socket.addEventListener('message', ({ data }) => heard.push(String(data)))
      return socket
    }, [user])
    write = send
    again = reset
    return `${greeting} ${user}: ${status}${outcome ? ` (${outcome.kind})` : ''}`
  }
  refresh.register(Status, 'Status')
  refresh.setSignature(Status, 'useGuardedSocket')
  return Status
}

const Status = define('This is')

/** Shows it, for that user. */
export async function show(user: string): Promise<void> {
  const { createRoot } = await import('react-dom/client')
  root ??= createRoot(document.body)
  root.render(createElement(StrictMode, null, createElement(Status, { user })))
}

/** Puts an edited component in its place. */
export function edit(): void {
  define('That is')
  refresh.performReactRefresh()
}

export const hide = (): void => root?.render(null)
export const say = (line: string): void => write(line)
export const reset = (): void => again()
export const text = (): string => document.body.textContent
export const seen = () => ({ made, heard })
