import type { Connection } from '@sallyport/server'
import type { Client } from 'aedes'

/** Says to a client, and to no other, who came in and how. Its topics begin as the one of this message does. */
export function greet(client: Client, topics: string, { identity, method }: Connection): void {
  const payload = JSON.stringify({ userId: identity.id, method })
  client.publish({ cmd: 'publish', topic: `${topics}welcome`, payload, qos: 0, dup: false, retain: false }, () => {})
}
