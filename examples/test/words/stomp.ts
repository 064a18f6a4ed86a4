import { type RawClient, rawFrame } from '../../../packages/server/test/support/raw.js'
import type { Words } from '../stacks.js'

function send(client: RawClient, command: string, headers: Readonly<Record<string, string>>, body = ''): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}`)
  client.write(rawFrame(`${[command, ...lines].join('\n')}\n\n${body}\0`))
}

/** The body of the first frame of the server that begins so, and has that header, if any. */
async function hear(client: RawClient, command: string, header = ''): Promise<string> {
  const find = () =>
    client
      .texts()
      .map((text) => text.split('\n\n'))
      .find(([head = '']) => head.startsWith(command) && head.includes(header))
  await client.until(() => find() !== undefined)
  const [, body] = find() ?? []
  if (body === undefined) throw new Error(`the server ended without it; it said ${client.texts().join(' ')}`)
  return body.replace(/\0$/, '')
}

async function begin(client: RawClient, passcode?: string): Promise<void> {
  send(client, 'CONNECT', { 'accept-version': '1.1', host: 'localhost', ...(passcode !== undefined && { passcode }) })
  await hear(client, 'CONNECTED')
}

/** STOMP 1.1. */
export const stomp: Words = {
  protocol: 'v11.stomp',
  closes: { revoked: 4010, expired: 4019 },
  authenticate: begin,
  async welcome(client) {
    if (client.texts().length === 0) await begin(client)
    send(client, 'SUBSCRIBE', { id: 'welcome', destination: '/user.welcome' })
    return JSON.parse(await hear(client, 'MESSAGE', 'subscription:welcome'))
  },
  async echo(client, text) {
    send(client, 'SUBSCRIBE', { id: 'echo', destination: '/user.echo' })
    send(client, 'SEND', { destination: '/user.say' }, text)
    return hear(client, 'MESSAGE', 'subscription:echo')
  },
}
