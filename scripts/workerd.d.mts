import type { BuildOptions } from 'esbuild'

/** A Worker in Cloudflare's runtime. */
export interface Workerd {
  readonly port: number
  readonly pid: number
  /** What it has written to stderr. */
  readonly log: string
  stop(): Promise<void>
  /** Ends the process at once, and starts it again at another port, with what its objects have on disk. */
  restart(): Promise<void>
}

/** Serves a Worker: `source` says to esbuild where it is, `objects` are the classes of its Durable Objects by their bindings. */
export function serveWorker(
  source: Pick<BuildOptions, 'entryPoints' | 'stdin' | 'alias' | 'conditions'>,
  objects?: Readonly<Record<string, string>>,
): Promise<Workerd>
