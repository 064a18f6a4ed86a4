// A React application, as a dev server runs it: in strict mode, and with fast refresh. Bundled as `hook`.
import { GuardedSocket, ticket } from '@sallyport/client'
import { useGuardedSocket } from '@sallyport/client/react'
import { createElement, StrictMode, useEffect, useLayoutEffect } from 'react'
import type { Root } from 'react-dom/client'
import * as refresh from 'react-refresh/runtime'

// Before React DOM is there, which looks for it.
refresh.injectIntoGlobalHook(window)

let root: Root | undefined
/** How many sockets were made, what was sent on that of which user, and what they have heard. */
let made = 0
const sent: string[] = []
const heard: string[] = []
let write: (line: string) => void = () => {}
let again: () => void = () => {}

/** A child that sends as it is mounted, in both kinds of effect: before those of its parent. */
function Newcomer({ user, send }: { readonly user: string; readonly send: (line: string) => void }) {
  useLayoutEffect(() => {
    if (made > 0) send(`Here comes ${user}`)
  }, [user, send])
  useEffect(() => {
    if (made > 0) send(`I am ${user}`)
  }, [user, send])
  return null
}

/** A component that says how it is with the socket of that user. */
function define(greeting: string) {
  function Status({ user }: { readonly user: string }) {
    const { status, outcome, send, reset } = useGuardedSocket(() => {
      made++
      const socket = new GuardedSocket('/ws', { credential: ticket('/ws/ticket') })
      const send = socket.send.bind(socket)
      socket.send = (data) => {
        sent.push(`${user}: ${data}`)
        send(data)
      }
      socket.addEventListener('message', ({ data }) => heard.push(String(data)))
      return socket
    }, [user])
    write = send
    again = reset
    const text = `${greeting} ${user}: ${status}${outcome ? ` (${outcome.kind})` : ''}`
    return [text, createElement(Newcomer, { key: user, user, send })]
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
export const seen = () => ({ made, sent, heard })
