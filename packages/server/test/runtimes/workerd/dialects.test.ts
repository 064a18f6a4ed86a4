import { afterAll, beforeAll, describe } from 'vitest'
import { controlBy, type StartDialect } from '../../contract/dialect-scene.js'
import { dialectOnSocket } from '../../contract/dialect-socket.js'
import { fixtures } from '../../support/dialects.js'
import { startWorkerd, type Workerd } from '../../support/workerd.js'

let workerd: Workerd

beforeAll(async () => {
  workerd = await startWorkerd(new URL('dialect-worker.ts', import.meta.url), { STORE: 'Sallyport', ROOM: 'Room' })
})
afterAll(() => workerd.stop())

let rooms = 0
const doors: [string, () => string][] = [
  ['a Worker', () => '/ws'],
  ['a Durable Object', () => `/rooms/${++rooms}`],
]

describe.each(doors)('%s', (_, place) => {
  const startDialect: StartDialect = async (setting) => {
    const { port } = workerd
    const path = place()
    const ask = (method: string, body: object) =>
      fetch(`http://127.0.0.1:${port}${path}`, { method, body: JSON.stringify(body) })
    await ask('PUT', setting)
    const control = controlBy(async (call) => ((await (await ask('POST', call)).json()) as { result?: unknown }).result)
    return { port, path, ...control }
  }
  for (const [name, fixture] of Object.entries(fixtures)) dialectOnSocket(name, fixture, startDialect)
})
