import type { Answer } from './answer.js'
import { element } from './dom.js'
import type { Handshake } from './handshake.js'
import type { FromFrame, ToFrame } from './opaque.js'
import type { Stage } from './visit.js'

/**
 * Knocks from a frame that is sandboxed without `allow-same-origin`: its origin is opaque, as that of a hostile page may
 * be, and the browser sends `Origin: null`.
 */
export function knockFromOpaqueOrigin(made: Handshake, { wire, doors, signal }: Stage): Promise<Answer> {
  const frame = element('iframe', '', 'offstage')
  frame.title = 'A page of another origin'
  frame.ariaHidden = 'true'
  frame.tabIndex = -1
  frame.setAttribute('sandbox', 'allow-scripts')
  frame.src = '/assets/opaque.html'
  const { port1: port, port2: portOfFrame } = new MessageChannel()

  frame.addEventListener('load', () => {
    wire.sent(made.label, ...made.details, 'Origin: null')
    doors('between')
    const message: ToFrame = { url: made.url, protocols: made.protocols }
    // An opaque origin has no name to send to. The frame holds our own file, and nobody else holds the other port.
    frame.contentWindow?.postMessage(message, '*', [portOfFrame])
  })
  signal.addEventListener('abort', () => frame.remove())
  document.body.append(frame)

  return new Promise((resolve) => {
    port.onmessage = ({ data: answer }: MessageEvent<FromFrame>) => {
      if (signal.aborted) return
      frame.remove()
      if (answer.type === 'welcome') wire.received(JSON.stringify(answer), 'bad')
      else wire.ended(answer)
      doors(answer.type === 'welcome' ? 'inside' : 'refused')
      resolve(answer)
    }
  })
}
