/** The class that is asked, and a guarded route that echoes, selects `chat` or `chat2`, and closes at the word `bye`. */
export interface Place {
  readonly Class: typeof WebSocket
  readonly url: string
}

/** What the standard asks of a WebSocket, in our own words, to run in a page of a browser. */
export interface Case {
  readonly name: string
  /** Files of Web Platform Tests, in `websockets`, that ask the same. */
  readonly files: string
  /** Throws where the class does otherwise. */
  run(place: Place): void | Promise<void>
}

export const test = (name: string, files: string, run: Case['run']): Case => ({ name, files, run })

export function same(found: unknown, wanted: unknown): void {
  const [is, should] = [found, wanted].map((value) => JSON.stringify(value) ?? String(value))
  if (is !== should) throw new Error(`expected ${should}, found ${is}`)
}

export function throws(name: string, work: () => unknown): void {
  let thrown: unknown
  try {
    work()
  } catch (error) {
    thrown = error
  }
  same(thrown instanceof Error || thrown instanceof DOMException ? thrown.name : thrown, name)
}

/** The next event of a type; rejects when the socket closes first. */
export const next = <K extends keyof WebSocketEventMap>(socket: WebSocket, type: K) =>
  new Promise<WebSocketEventMap[K]>((resolve, reject) => {
    socket.addEventListener(type, resolve, { once: true })
    if (type !== 'close') socket.addEventListener('close', ({ code }) => reject(new Error(`closed with ${code}`)))
  })

/** An open socket that has read its greeting. */
export async function opened({ Class, url }: Place, protocols?: string | string[]): Promise<WebSocket> {
  const socket = new Class(url, protocols)
  await next(socket, 'message')
  return socket
}
