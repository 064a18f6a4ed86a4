// Each adapter beside the same stack without us: handshakes, and messages after the accept.
import * as say from '../conversations.mjs'
import { repeat } from '../credentials.mjs'
import { measureEchoes } from '../echoes.mjs'
import { measureHandshakes } from '../handshakes.mjs'

export const scenario = 'stacks'

/** The names of stacks, and their servers: open to everybody, or with the guard where there are `keys`. */
const stacks = [
  ['Fastify with @fastify/websocket', 'fastify'],
  ['Hono', 'hono'],
]

export async function measure({ credentials, effort, wants }) {
  const { keys, fresh, seen, forged } = credentials
  const rows = []
  for (const [stack, server] of stacks.filter(([stack]) => wants(stack))) {
    const [open, guarded] = [
      { row: `${stack}, open`, server: [server, {}] },
      { row: `${stack}, guarded`, server: [server, { keys }] },
    ]
    const handshakes = [
      { ...open, prepare: (_server, count) => repeat([say.anonymous()], count), echoes: true },
      {
        ...guarded,
        prepare: (_server, count) => seen('HS256')(count).map((token) => say.bearer(token)),
        opposite: () => say.bearer(forged('HS256'), say.refusals.status),
        echoes: true,
        control: open.row,
        goal: { of: 'ratio', least: 0.75 },
      },
    ]
    rows.push(
      ...(await measureHandshakes({
        scenario,
        rows: handshakes,
        credentials,
        wants: () => true,
        ...effort.handshakes,
      })),
      ...(await measureEchoes({
        scenario,
        control: { ...open, conversations: (count) => repeat([say.anonymous()], count) },
        ours: { ...guarded, conversations: (count) => fresh('HS256')(count).map((token) => say.bearer(token)) },
        ...effort.echo,
      })),
    )
  }
  return rows
}
