import { element, find } from './dom.js'
import { clockFace } from './time.js'

/** What `GET /connections` sends on every change: the whole table. Times are the server's, in milliseconds. */
export interface Snapshot {
  readonly now: number
  readonly connections: readonly Row[]
}

interface Row {
  readonly id: string
  readonly user: string
  readonly method: string
  readonly since: number
  /** Absent: the credential has no end. */
  readonly expiresAt?: number
}

/** Keeps the table of live connections. */
export function watchConnections(): void {
  const body = find<HTMLTableSectionElement>(document, '#connections')
  const nobody = find<HTMLElement>(document, '#nobody')
  let ticks: (() => void)[] = []

  new EventSource('/connections').addEventListener('message', ({ data }: MessageEvent<string>) => {
    const { now, connections } = JSON.parse(data) as Snapshot
    // The server's clock, carried on by our monotonic one: the two wall clocks need not agree.
    const ahead = now - performance.now()
    const rows = connections.map((connection) => row(connection, () => performance.now() + ahead))
    ticks = rows.map(({ tick }) => tick)
    body.replaceChildren(...rows.map(({ element }) => element))
    nobody.hidden = connections.length > 0
    body.parentElement!.hidden = connections.length === 0
  })
  setInterval(() => {
    for (const tick of ticks) tick()
  }, 1000)
}

function row({ user, method, since, expiresAt }: Row, now: () => number): { element: HTMLElement; tick: () => void } {
  const row = element('tr')
  const who = element('th', user)
  who.scope = 'row'
  const ends = element('td')
  const began = element('td', new Date(since).toLocaleTimeString([], { hour12: false }))
  row.append(who, element('td', method === 'message' ? 'first message' : method), began, ends)
  const tick = () => {
    ends.textContent = expiresAt === undefined ? 'never' : clockFace((expiresAt - now()) / 1000)
  }
  tick()
  return { element: row, tick }
}
