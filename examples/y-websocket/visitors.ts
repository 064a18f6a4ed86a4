import type { Connection } from '@sallyport/server'
import { getYDoc } from '@y/websocket-server/utils'

/** Writes into the document who came and how, for all to see. An awareness state says only what its client likes. */
export function note({ identity, method, path }: Connection): void {
  getYDoc(path.slice(1)).getMap('visitors').set(identity.id, method)
}
