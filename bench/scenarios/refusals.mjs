// Refusals: they must cost less than an accept, or a flood of them is an attack.
import * as say from '../conversations.mjs'
import { repeat } from '../credentials.mjs'
import { measureHandshakes } from '../handshakes.mjs'

export const scenario = 'refusals'

const bareWs = 'bare ws, accepting'
const boundOf = (alg) => `bound: bare ws and one ${alg} by node:crypto`

export async function measure({ credentials, effort, wants }) {
  const { keys, fresh, forged } = credentials
  const { status } = say.refusals
  const ours = (alg) => ['sallyport', { way: 'header', alg, keys }]
  const atLeast = (least) => ({ goal: { of: 'ratio', least } })
  const always = (conversation) => (_server, count) => repeat([conversation], count)

  const rows = [
    { row: bareWs, server: ['bare-ws', {}], prepare: always(say.anonymous()) },
    {
      row: 'no credential',
      server: ours(),
      prepare: always(say.anonymous(status)),
      control: bareWs,
      ...atLeast(1.2),
    },
    {
      row: 'malformed credential',
      server: ours(),
      prepare: always(say.bearer('not a token', say.refusals.malformed)),
      control: bareWs,
      ...atLeast(1.2),
    },
    ...['HS256', 'ES256'].flatMap((alg) => [
      { row: boundOf(alg), bound: { row: bareWs, alg }, control: bareWs },
      {
        row: `forged ${alg}`,
        server: ours(alg),
        prepare: (_server, count) => Array.from({ length: count }, () => say.bearer(forged(alg), status)),
        // The control in the other direction: a good one is accepted.
        opposite: () => say.bearer(fresh(alg)(1)[0]),
        control: boundOf(alg),
        ...atLeast(0.9),
      },
    ]),
  ]
  return measureHandshakes({ scenario, rows, credentials, wants, ...effort.handshakes })
}
