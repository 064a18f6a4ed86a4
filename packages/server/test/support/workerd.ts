import { fileURLToPath } from 'node:url'
import { serveWorker, type Workerd } from '../../../../scripts/workerd.mjs'
import { aliases } from './runtime.js'

export type { Workerd }

/** Runs a Worker of the tests in workerd; `objects` are the classes of its Durable Objects, by the names of their bindings. */
export const startWorkerd = (worker: URL, objects?: Readonly<Record<string, string>>): Promise<Workerd> =>
  serveWorker({ entryPoints: [fileURLToPath(worker)], alias: aliases }, objects)
