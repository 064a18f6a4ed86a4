import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'

const agent = new Agent({ keepAlive: true, maxSockets: 100 })

/** Posts to a node of this machine, and answers what it says. */
export function post(
  port: number,
  path: string,
  body = '',
  headers: Record<string, string> = {},
): Promise<{ readonly status: number; readonly body: unknown }> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path, method: 'POST', agent, headers }, (response) => {
      text(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: JSON.parse(answer) }), reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
