import type { GuardedSocket } from '@sallyport/client'
import { useGuardedSocket } from '@sallyport/client/react'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { expect, it } from 'vitest'

// In a browser it is seen in apps/playground/test/engines.

it('makes nothing on a server, where it is connecting, and says so to who sends there', () => {
  let made = 0
  let sent: unknown
  function Status() {
    const { status, socket, send } = useGuardedSocket((): GuardedSocket => {
      made++
      throw new Error('made on a server')
    })
    try {
      send('hello')
    } catch (error) {
      sent = error
    }
    return `${status} ${socket}`
  }
  expect(renderToString(createElement(Status))).toBe('connecting undefined')
  expect(made).toBe(0)
  expect(sent).toMatchObject({ message: expect.stringContaining('before the component is mounted') })
})
