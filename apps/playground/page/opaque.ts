import type { Answer } from './answer.js'

/** What the page hands in, with a port to answer on. */
export interface ToFrame {
  readonly url: string
  readonly protocols: string[]
}

/** What the frame answers, once. */
export type FromFrame = Answer

addEventListener(
  'message',
  ({ data: { url, protocols }, ports: [port] }: MessageEvent<ToFrame>) => {
    const answer = (message: FromFrame) => port?.postMessage(message)
    const socket = new WebSocket(url, protocols)
    let upgraded = false
    socket.addEventListener('open', () => {
      upgraded = true
    })
    socket.addEventListener('message', ({ data }) => answer(JSON.parse(data)))
    socket.addEventListener('close', ({ code, reason }) => answer({ type: 'ended', code, reason, upgraded }))
  },
  { once: true },
)
