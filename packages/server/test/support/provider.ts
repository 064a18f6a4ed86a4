import type { Fetch } from '@sallyport/server/jwt'
import { now, signingPair } from './tokens.js'

export const pair = signingPair('RS256', 'key-1')
export const algorithms = ['RS256'] as const
export const iat = now / 1000

/** The provider's own addresses, with a key set of ours behind them. */
export function web(pages: Record<string, object>): Fetch {
  return async (url) => (pages[url] ? new Response(JSON.stringify(pages[url])) : new Response(null, { status: 404 }))
}

export const keySet = { keys: [pair.jwk()] }

/** A provider with a discovery document. */
export function provider(issuer: string, jwksUri: string) {
  const document = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  return { fetch: web({ [document]: { issuer, jwks_uri: jwksUri }, [jwksUri]: keySet }) }
}
