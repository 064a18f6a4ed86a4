// Messages after the accept, beside the bare socket.
import * as say from '../conversations.mjs'
import { repeat } from '../credentials.mjs'
import { measureEchoes } from '../echoes.mjs'

export const scenario = 'echo'

export function measure({ credentials: { keys, fresh }, effort }) {
  return measureEchoes({
    scenario,
    control: {
      row: 'bare ws',
      server: ['bare-ws', {}],
      conversations: (count) => repeat([say.anonymous()], count),
    },
    ours: {
      row: 'sallyport',
      server: ['sallyport', { way: 'header', keys }],
      conversations: (count) => fresh('HS256')(count).map((token) => say.bearer(token)),
    },
    ...effort.echo,
  })
}
