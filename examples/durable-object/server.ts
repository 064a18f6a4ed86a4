import { runWorkerd } from '../shared/workerd.js'

await runWorkerd('durable-object', new URL('worker.ts', import.meta.url), { SALLYPORT: 'Sallyport', ROOM: 'Room' })
