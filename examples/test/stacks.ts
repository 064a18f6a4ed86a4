import type { RawClient } from '../../packages/server/test/support/raw.js'
import { graphql } from './words/graphql.js'
import { mqtt } from './words/mqtt.js'
import { plain } from './words/plain.js'
import { stomp } from './words/stomp.js'
import { trpc } from './words/trpc.js'
import { hocuspocus, yjs } from './words/yjs.js'

/** What the application of an example says to a client that the guard has let in, and how. */
export interface Words {
  /** The subprotocol that it speaks. */
  readonly protocol?: string
  /** What the URL of a client has to have that brings its credential in the first message. */
  readonly firstMessageQuery?: string
  /** How its dialect closes a connection that was revoked, or whose credential has expired. */
  readonly closes: { readonly revoked: number; readonly expired: number }
  /** Brings the credential in the first message of the protocol, and waits for the answer. */
  authenticate(client: RawClient, token: string): Promise<void>
  /** Whom the application takes the client for, and by which way it came. */
  welcome(client: RawClient, user: string): Promise<{ readonly userId: string; readonly method: string }>
  /** Says a text, and answers what comes back. */
  echo(client: RawClient, text: string): Promise<string>
}

/** The examples whose messages are not the plain ones. A way in that a stack cannot have is a row of its page. */
const stacks: Readonly<Record<string, Words>> = {
  'graphql-ws': graphql,
  hocuspocus,
  mqtt,
  stomp,
  trpc,
  'y-websocket': yjs,
}

export const wordsOf = (example: string): Words => stacks[example] ?? plain
