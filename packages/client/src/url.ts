/** Reads the socket's URL as a browser does: relative to the page, `http:` for `ws:`, without a fragment. */
export function socketUrl(input: string | URL): URL {
  const { href } = new URL(input, globalThis.location?.href)
  return new URL(href.replace(/^http/, 'ws').replace(/#.*/, ''))
}

const loopback = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/

/** Throws a `TypeError` where a credential would go over the network in the clear. */
export function requireSecure({ protocol, hostname }: URL, dangerouslyAllowPlaintext: boolean): void {
  if (/^(ws|http)s:/.test(protocol) || dangerouslyAllowPlaintext || loopback.test(hostname)) return
  throw new TypeError('Not in the clear: use wss: and https:')
}
