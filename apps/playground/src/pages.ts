import { readFile } from 'node:fs/promises'
import type { Handler } from './http.js'
import type { Routes } from './router.js'

// The whole list of what is served: a request can name nothing else.
const files = {
  '/': 'index.html',
  '/assets/main.js': 'main.js',
  '/assets/style.css': 'style.css',
  '/assets/favicon.svg': 'favicon.svg',
  '/assets/opaque.html': 'opaque.html',
  '/assets/opaque.js': 'opaque.js',
} as const

const mediaTypes: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}

/** The files of the page, by the path they are served at. */
export type Pages = ReadonlyMap<string, { readonly file: string; readonly body: Buffer }>

/** Reads the built page from `directory`. */
export async function loadPages(directory: URL): Promise<Pages> {
  const entries = Object.entries(files).map(async ([path, file]) => {
    return [path, { file, body: await readFile(new URL(file, directory)) }] as const
  })
  return new Map(await Promise.all(entries))
}

/** Serves the page, under these hosts of ours. */
export function pageRoutes(pages: Pages, hosts: readonly string[]): Routes {
  return Array.from(pages, ([path, { file, body }]) => {
    const headers = {
      'content-type': mediaTypes[file.split('.').at(-1) ?? '']!,
      'content-length': body.length,
      'cache-control': path === '/' ? 'no-store' : 'no-cache',
      'content-security-policy': contentSecurityPolicy(hosts, file === 'opaque.html' ? "'self'" : "'none'"),
    }
    const GET: Handler = (_req, res) => {
      res.writeHead(200, headers).end(body)
    }
    return [path, { GET }] as const
  })
}

/**
 * The policy of a document of ours, which runs our own files only. Trusted Types close the string sinks: whatever a name
 * or a message says stays text. `framedBy`: nobody but our page frames the one that plays the opaque origin.
 *
 * Our hosts stand beside `'self'`, which not every browser takes to mean `ws:` too, and which in a sandboxed frame is nobody
 * for WebKit.
 */
function contentSecurityPolicy(hosts: readonly string[], framedBy: string): string {
  const under = (scheme: string) => hosts.map((host) => ` ${scheme}://${host}`).join('')
  return [
    "default-src 'none'",
    `script-src 'self'${under('http')}`,
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self'${under('ws')}`,
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${framedBy}`,
    "require-trusted-types-for 'script'",
  ].join('; ')
}
