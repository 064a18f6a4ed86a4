import type { IncomingMessage, ServerResponse } from 'node:http'
import { guard } from './guard.js'
import { accounts, fetchAccountsOf } from './login.js'

const maxBody = 4_096

/** The accounts of `login.ts` for a Node.js server. `false`: the call is for something else, and nothing was done. */
export async function nodeAccounts(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  const { method = '', url = '', headers } = request
  let body = ''
  try {
    if (method === 'POST' && url.startsWith('/log')) {
      for await (const chunk of request) {
        body += chunk
        if (body.length > maxBody) break
      }
    }
  } catch {
    return true // it has gone: nobody waits for an answer
  }
  const answer = await accounts(guard, method, url, body, headers.cookie)
  if (!answer) return false
  if (answer.cookie) response.setHeader('set-cookie', answer.cookie)
  response.writeHead(answer.status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(answer.body && JSON.stringify(answer.body))
  return true
}

/** The same for a fetch `Request`. `undefined`: it is for something else. */
export const fetchAccounts = (request: Request): Promise<Response | undefined> => fetchAccountsOf(guard, request)
