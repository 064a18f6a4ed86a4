import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type JWK, Provider } from 'oidc-provider'
import { onTestFinished } from 'vitest'
import { audience, type SigningPair } from './tokens.js'

/** What a token is asked for: a JWT signed with this algorithm, or an opaque token. */
export type TokenKind = 'RS256' | 'ES256' | 'EdDSA' | 'opaque'

/** A real OpenID provider on a loopback port. */
export interface IdentityProvider {
  readonly issuer: string
  readonly jwksUrl: string
  readonly introspectionUrl: string
  readonly clientId: string
  readonly clientSecret: string
  /** How many requests came for `path`. */
  requests(path: string): number
  /** Issues a token by the client credentials grant; its subject is the client. It lives for two hours. */
  issue(kind: TokenKind, headers?: Record<string, string>): Promise<string>
  /** Revokes an opaque token (RFC 7009). */
  revoke(token: string): Promise<void>
  /** Sends a logout token to that address: of that user, and of that session where one is named. */
  logOut(uri: string, user: string, session?: string): Promise<void>
  /** Takes other signing keys, and forgets the present ones. */
  rotate(pairs: readonly SigningPair[]): void
  stop(): Promise<void>
  /** Starts again on the same port. */
  restart(): Promise<void>
}

const clientId = 'chat'
// Everything that form encoding and HTTP Basic could trip over.
const clientSecret = 'a:secret with %2B + / = & "quotes", and long enough'

const lifetime = 7200

/** Starts a provider, stopped when the test is over. */
export async function startIdentityProvider(pairs: readonly SigningPair[]): Promise<IdentityProvider> {
  const counts = new Map<string, number>()
  let handle: RequestListener = (_, response) => response.end()
  let server: Server
  let port = 0

  async function listen(): Promise<void> {
    server = createServer((request, response) => {
      const path = request.url ?? ''
      counts.set(path, (counts.get(path) ?? 0) + 1)
      handle(request, response)
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  }

  async function stop(): Promise<void> {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }

  await listen()
  onTestFinished(stop)
  const issuer = `http://127.0.0.1:${port}`
  const url = (path: string) => `${issuer}${path}`
  let provider: Provider
  const rotate = (next: readonly SigningPair[]) => {
    provider = createProvider(issuer, next)
    handle = provider.callback()
  }
  rotate(pairs)

  async function post(path: string, form: Record<string, string>, headers: Record<string, string> = {}) {
    const authorization = `Basic ${btoa(`${clientId}:${encodeURIComponent(clientSecret)}`)}`
    const body = new URLSearchParams(form)
    const response = await fetch(url(path), { method: 'POST', body, headers: { authorization, ...headers } })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return response
  }

  return {
    issuer,
    jwksUrl: url('/jwks'),
    introspectionUrl: url('/token/introspection'),
    clientId,
    clientSecret,
    requests: (path) => counts.get(path) ?? 0,
    async issue(kind, headers) {
      const form = { grant_type: 'client_credentials', resource: `${audience}/${kind}`, scope: 'read write' }
      const { access_token } = (await (await post('/token', form, headers)).json()) as { access_token: string }
      return access_token
    },
    async revoke(token) {
      await post('/token/revocation', { token })
    },
    async logOut(uri, user, session) {
      const client = await provider.Client.find(clientId)
      const registered = { backchannelLogoutUri: uri, backchannelLogoutSessionRequired: session !== undefined }
      // The types do not know what the library calls when somebody signs out.
      const signOut: unknown = Reflect.get(Object.assign(client!, registered), 'backchannelLogout')
      if (typeof signOut !== 'function') throw new Error('this provider has no back-channel logout')
      await signOut.call(client, user, session)
    },
    rotate,
    stop,
    restart: listen,
  }
}

function createProvider(issuer: string, pairs: readonly SigningPair[]): Provider {
  const keys = pairs.map(
    ({ privateKey, alg, kid }) => ({ ...privateKey.export({ format: 'jwk' }), alg, kid, use: 'sig' }) as JWK,
  )
  return new Provider(issuer, {
    jwks: { keys },
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
    scopes: ['read', 'write'],
    cookies: { keys: ['only for tests'] },
    // To loopback addresses too, which it refuses to ask otherwise.
    fetch: (url, options) => fetch(url, Object.assign({}, options, { dispatcher: undefined })),
    // JWTs have the client as their subject anyway; introspection would tell none.
    extraTokenClaims: () => ({ sub: clientId }),
    ttl: { ClientCredentials: lifetime },
    features: {
      backchannelLogout: { enabled: true },
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo(_, resource) {
          const kind = resource.slice(audience.length + 1) as TokenKind
          const common = { audience, scope: 'read write', accessTokenTTL: lifetime }
          return kind === 'opaque'
            ? { ...common, accessTokenFormat: 'opaque' }
            : { ...common, accessTokenFormat: 'jwt', jwt: { sign: { alg: kind } } }
        },
      },
    },
  })
}
