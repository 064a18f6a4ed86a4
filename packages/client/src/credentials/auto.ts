import type { Credential, TokenSource } from './credential.js'
import { header, headerArgument } from './header.js'
import { ticket } from './ticket.js'

/**
 * One setting for every runtime: the token as `Authorization` header where the WebSocket class takes headers, otherwise a
 * ticket from the endpoint `ticket`, fetched with the same token.
 */
export function auto(options: { token: TokenSource; ticket: string | URL }): Credential {
  const byHeader = header(options.token)
  const byTicket = ticket(options.ticket, { token: options.token })
  return (target) => (headerArgument(target.WebSocket) ? byHeader : byTicket)(target)
}
