import { type Handshake, type PathParams, readTarget, singleHeader } from '../handshake/request.js'

/** What is kept of the handshake that opened a connection. No credential is. */
export interface ConnectionSource {
  readonly path: string
  readonly params: PathParams
  readonly query: string
  readonly origin: string | undefined
  readonly address: string
}

/** What a verifier, and a policy about origins, get to see when they are asked about a connection later. */
export function handshakeOf({ path, params, origin, address }: Omit<ConnectionSource, 'query'>): Handshake {
  return { method: 'GET', headers: origin === undefined ? [] : [['origin', origin]], target: path, params, address }
}

/** How the parts that are an option's to say are read. */
export interface SourceReaders {
  /** The client's address. */
  readonly addressOf: (handshake: Handshake) => string
  /** A query without the parameters that bring credentials. */
  readonly hideCredentials: (query: string) => string
}

/** Reads it. */
export function sourceOf(handshake: Handshake, { addressOf, hideCredentials }: SourceReaders): ConnectionSource {
  const target = readTarget(handshake.target)
  return {
    path: target?.path ?? '',
    params: handshake.params ?? noParams,
    query: hideCredentials(target?.query ?? ''),
    origin: originOf(handshake),
    address: addressOf(handshake),
  }
}

/** What is no origin is nobody's to log or compare. */
function originOf(handshake: Handshake): string | undefined {
  const origin = singleHeader(handshake, 'origin')
  if (origin !== lastOrigin) {
    if (typeof origin !== 'string' || !/^[\x21-\x7e]+$/.test(origin)) return undefined
    lastOrigin = origin
  }
  return lastOrigin
}

/** Most connections come from one page, and need not each keep its origin. */
let lastOrigin = ''

const noParams: PathParams = Object.freeze({})
