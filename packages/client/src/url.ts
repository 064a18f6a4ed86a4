/**
 * Reads a URL, relative to `base`. Throws a `TypeError`, which does not quote it, where it is none, where it holds a user
 * and password, and where a credential would go over the network in the clear.
 */
export function readUrl(input: string | URL, base: string | undefined, dangerouslyAllowPlaintext: boolean): URL {
  let url: URL
  try {
    url = new URL(input, base)
  } catch {
    throw new TypeError('Not a URL')
  }
  if (url.username || url.password) throw new TypeError('No password in a URL')
  // A page that came in the clear itself may talk to its own server.
  const isOwn = `http://${url.host}` === globalThis.origin
  if (isOwn || /^(ws|http)s:/.test(url.protocol) || dangerouslyAllowPlaintext || loopback.test(url.hostname)) return url
  throw new TypeError('Use wss: and https:')
}

const loopback = /^((.+\.)?localhost|127(\.\d+){3}|\[::1\])$/
