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
  const table = snapshots(response.body!)
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

async function* snapshots(body: NonNullable<Response['body']>): AsyncGenerator<Snapshot, undefined> {
  let text = ''
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      yield JSON.parse(text.slice('data: '.length, end))
      text = text.slice(end + 2)
    }
  }
}
