import { refusalAnswer } from '../../refusals/http-answer.js'
import type { Refuse } from '../../verdict.js'

/** The whole response of a refusal: not every runtime says by itself how long it is. */
export function refusalResponse({ code, reason }: Pick<Refuse, 'code' | 'reason'>): Response {
  const { status, headers, body } = refusalAnswer({ code, reason }, code === 'methodNotAllowed' ? { Allow: 'GET' } : {})
  const length = `${Buffer.byteLength(body)}`
  // Who sends Upgrade must name it here too (RFC 9110 section 7.8).
  const connection = 'Upgrade' in headers ? 'close, Upgrade' : 'close'
  return new Response(body, {
    status,
    headers: { ...headers, 'Content-Length': length, Connection: connection },
  })
}
