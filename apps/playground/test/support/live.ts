/** What `GET /connections` tells. */
export interface Snapshot {
  now: number
  connections: Row[]
  ended?: { row: number; close: number }
}

export interface Row {
  row: number
  id?: string
  user: string
  method: string
  since: number
  expiresAt?: number
}

/** Somebody who watches the table. */
export interface Watcher {
  /** The next event that is so. */
  until(isWanted: (snapshot: Snapshot) => boolean): Promise<Snapshot>
  close(): void
}

/** Watches the table of live connections with these headers, from its first event on. */
export async function watch(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Watcher> {
  const controller = new AbortController()
  const response = await fetch(`${url}/connections`, { signal: controller.signal, headers })
  // Read at once: the body of a response that is collected before anybody reads it has ended.
  const table = snapshots(response.body!.pipeThrough(new TextDecoderStream()))
  return {
    async until(isWanted) {
      for (;;) {
        const { value, done } = await table.next()
        if (done) throw new Error('the table has ended')
        if (isWanted(value)) return value
      }
    },
    close: () => controller.abort(),
  }
}

async function* snapshots(texts: ReadableStream<string>): AsyncGenerator<Snapshot, undefined> {
  let text = ''
  for await (const chunk of texts) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      yield JSON.parse(text.slice('data: '.length, end))
      text = text.slice(end + 2)
    }
  }
}
